// `-m hl`: the IPv6 hop limit (xt_hl, hl_mt6).
#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  const BoundOption& option = arguments.options.front();  // one: they exclude each other
  const u128 value = std::get<NumberRange>(option.value).lo;
  if (option.spec->name == "--hl-lt") {
    return MatchMeaning{value == 0 ? constant(false) : in_range(Field::kTtl, 0, value - 1)};
  }
  if (option.spec->name == "--hl-gt") return MatchMeaning{in_range(Field::kTtl, value + 1, 255)};
  return MatchMeaning{negate_if(option.inverted, equals(Field::kTtl, value))};
}

}  // namespace

extern const Match hl;
const Match hl{
    .name = "hl",
    .families = {Family::kIpv6},
    .options =
        {{.name = "--hl-eq",
          .aliases = {"--hl"},
          .type = ValueType::kUnsigned,
          .invertible = true,
          .required = true,
          .excludes = "comparison",
          .max = 255},
         {.name = "--hl-lt", .type = ValueType::kUnsigned, .excludes = "comparison", .max = 255},
         {.name = "--hl-gt", .type = ValueType::kUnsigned, .excludes = "comparison", .max = 255}},
    .meaning = meaning,
};

}  // namespace postern::match
