// `-m iprange`: addresses between two bounds, both included (xt_iprange). A reversed range never
// matches.
#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

PredicatePtr test(Field field, const Arguments& arguments, std::string_view name) {
  const auto* range = arguments.get<AddressRange>(name);
  if (range == nullptr) return constant(true);
  return negate_if(arguments.inverted(name), in_range(field, range->low.value, range->high.value));
}

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  if (arguments.options.empty()) {
    return complaint("-m iprange without a range", "add --src-range or --dst-range");
  }
  return MatchMeaning{all({test(Field::kSource, arguments, "--src-range"),
                           test(Field::kDestination, arguments, "--dst-range")})};
}

}  // namespace

extern const Match iprange;
const Match iprange{
    .name = "iprange",
    .options = {{.name = "--src-range", .type = ValueType::kAddressRange, .invertible = true},
                {.name = "--dst-range", .type = ValueType::kAddressRange, .invertible = true}},
    .meaning = meaning,
};

}  // namespace postern::match
