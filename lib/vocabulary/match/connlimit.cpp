// `-m connlimit`: how many connections the same hosts have (xt_connlimit). It drops the packet when
// it has no memory to count, or no ports to count by.
#include <algorithm>

#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

// "! --connlimit-above n" is --connlimit-upto n, and the other way round.
bool above(const Arguments& arguments) {
  return arguments.has("--connlimit-above") !=
         (arguments.inverted("--connlimit-above") || arguments.inverted("--connlimit-upto"));
}

tl::expected<MatchMeaning, Complaint> meaning(const Arguments&) {
  return MatchMeaning{opaque("connlimit: how many connections there are", true)};
}

std::string print(const Arguments& arguments) {
  const auto* limit = arguments.get<NumberRange>("--connlimit-above");
  if (limit == nullptr) limit = arguments.get<NumberRange>("--connlimit-upto");
  const auto* mask = arguments.get<NumberRange>("--connlimit-mask");
  std::string text;
  append_option(text, false, above(arguments) ? "--connlimit-above" : "--connlimit-upto",
                to_decimal(limit->lo));
  // A mask that is too long counts as full.
  const u128 full = address_bits(arguments.family);
  append_option(text, false, "--connlimit-mask",
                to_decimal(mask == nullptr ? full : std::min(mask->lo, full)));
  append_option(text, false,
                arguments.has("--connlimit-daddr") ? "--connlimit-daddr" : "--connlimit-saddr");
  return text;
}

}  // namespace

extern const Match connlimit;
const Match connlimit{
    .name = "connlimit",
    .options = {{.name = "--connlimit-above",
                 .type = ValueType::kUnsigned,
                 .invertible = true,
                 .required = true,
                 .excludes = "limit"},
                {.name = "--connlimit-upto",
                 .type = ValueType::kUnsigned,
                 .invertible = true,
                 .excludes = "limit"},
                {.name = "--connlimit-mask", .type = ValueType::kUnsigned, .max = 128},
                {.name = "--connlimit-saddr", .excludes = "side"},
                {.name = "--connlimit-daddr", .excludes = "side"}},
    .meaning = meaning,
    .switches_on_tracking = true,
    .print = print,
};

}  // namespace postern::match
