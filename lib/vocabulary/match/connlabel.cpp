// `-m connlabel`: a label of the conntrack entry (xt_connlabel), not modelled. Names of labels come
// from a file that the text does not have. Without an entry it answers "not set".
#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

// connlabel_mt: `if (ct == NULL) return invert`, and the same without room for labels.
tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  return MatchMeaning{negate_if(arguments.inverted("--label"),
                                all({has_entry(), opaque("connlabel: the labels of the entry")}))};
}

std::string print(const Arguments& arguments) {
  std::string text;
  append_option(text, arguments.inverted("--label"), "--label",
                "\"" + *arguments.get<std::string>("--label") + "\"");
  append_bound(text, arguments, "--set");
  return text;
}

}  // namespace

extern const Match connlabel;
const Match connlabel{
    .name = "connlabel",
    .options = {{.name = "--label", .type = ValueType::kText, .invertible = true, .required = true},
                {.name = "--set"}},
    .meaning = meaning,
    .switches_on_tracking = true,
    .print = print,
};

}  // namespace postern::match
