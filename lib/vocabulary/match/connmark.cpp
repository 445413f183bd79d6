// `-m connmark`: the mark of the packet's conntrack entry (xt_connmark). Without an entry it does
// not match, inverted or not (kernel-facts 20).
#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  const auto& [value, mask] = *arguments.get<MaskedNumber>("--mark");
  const PredicatePtr same = masked(Field::kCtMark, value, mask);
  return MatchMeaning{all({has_entry(), negate_if(arguments.inverted("--mark"), same)})};
}

}  // namespace

extern const Match connmark;
const Match connmark{
    .name = "connmark",
    .options =
        {{.name = "--mark", .type = ValueType::kMasked, .invertible = true, .required = true}},
    .meaning = meaning,
    .switches_on_tracking = true,
};

}  // namespace postern::match
