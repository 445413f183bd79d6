// `-m hl`: the IPv6 hop limit (xt_hl, hl_mt6).
#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  return hop_limit_test(arguments, "--hl");
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
