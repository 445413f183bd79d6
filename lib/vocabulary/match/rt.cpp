// `-m rt`: IPv6 routing header (ip6t_rt). Extension headers are not modelled; one that cannot be
// read is dropped on the spot.
#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

std::string print(const Arguments& arguments) {
  std::string text;
  append_bound(text, arguments, "--rt-type");
  append_range(text, arguments, "--rt-segsleft", 0xffffffff);
  for (const std::string_view name :
       {"--rt-len", "--rt-0-res", "--rt-0-addrs", "--rt-0-not-strict"}) {
    append_bound(text, arguments, name);
  }
  return text;
}

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  const auto* type = arguments.get<NumberRange>("--rt-type");
  const bool type0 = type != nullptr && type->lo == 0 && !arguments.inverted("--rt-type");
  for (const std::string_view name : {"--rt-0-res", "--rt-0-addrs", "--rt-0-not-strict"}) {
    if (arguments.has(name) && !type0) {
      return complaint(std::string(name) + " without --rt-type 0", "add --rt-type 0");
    }
  }
  return MatchMeaning{opaque("rt: extension headers are not modelled", true)};
}

}  // namespace

extern const Match rt;
const Match rt{
    .name = "rt",
    .families = {Family::kIpv6},
    .options = {{.name = "--rt-type", .type = ValueType::kUnsigned, .invertible = true},
                {.name = "--rt-segsleft", .type = ValueType::kRange, .invertible = true},
                {.name = "--rt-len", .type = ValueType::kUnsigned, .invertible = true},
                {.name = "--rt-0-res"},
                {.name = "--rt-0-addrs", .type = ValueType::kWordList},
                {.name = "--rt-0-not-strict"}},
    .meaning = meaning,
    .print = print,
};

}  // namespace postern::match
