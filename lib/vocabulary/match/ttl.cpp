// `-m ttl`: the IPv4 time to live (xt_hl, ttl_mt).
#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  return hop_limit_test(arguments, "--ttl");
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
