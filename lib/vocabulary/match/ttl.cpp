// `-m ttl`: the IPv4 time to live (xt_hl, ttl_mt).
#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  const BoundOption& option = arguments.options.front();  // one: they exclude each other
  const u128 value = std::get<NumberRange>(option.value).lo;
  if (option.spec->name == "--ttl-lt") {
    return MatchMeaning{value == 0 ? constant(false) : in_range(Field::kTtl, 0, value - 1)};
  }
  if (option.spec->name == "--ttl-gt") return MatchMeaning{in_range(Field::kTtl, value + 1, 255)};
  return MatchMeaning{negate_if(option.inverted, equals(Field::kTtl, value))};
}

}  // namespace

extern const Match ttl;
const Match ttl{
    .name = "ttl",
    .families = {Family::kIpv4},
    .options =
        {{.name = "--ttl-eq",
          .aliases = {"--ttl"},
          .type = ValueType::kUnsigned,
          .invertible = true,
          .required = true,
          .excludes = "comparison",
          .max = 255},
         {.name = "--ttl-lt", .type = ValueType::kUnsigned, .excludes = "comparison", .max = 255},
         {.name = "--ttl-gt", .type = ValueType::kUnsigned, .excludes = "comparison", .max = 255}},
    .meaning = meaning,
};

}  // namespace postern::match
