// `-m mark`: the packet's mark (xt_mark).
#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  const auto& [value, mask] = *arguments.get<MaskedNumber>("--mark");
  return MatchMeaning{negate_if(arguments.inverted("--mark"), masked(Field::kMark, value, mask))};
}

}  // namespace

extern const Match mark;
const Match mark{
    .name = "mark",
    .options =
        {{.name = "--mark", .type = ValueType::kMasked, .invertible = true, .required = true}},
    .meaning = meaning,
};

}  // namespace postern::match
