// `-j TTL`: writes the time to live (xt_HL). Counting stops at 0 and 255.
#include "vocabulary/build.hpp"

namespace postern::target {
namespace {

tl::expected<Effect, Complaint> effect(const Arguments& arguments) {
  return hop_limit_change(arguments, "--ttl");
}

}  // namespace

extern const Target ttl;
const Target ttl{
    .name = "TTL",
    .families = {Family::kIpv4},
    .options = {{.name = "--ttl-set",
                 .type = ValueType::kUnsigned,
                 .required = true,
                 .excludes = "operation",
                 .max = 255},
                {.name = "--ttl-inc",
                 .type = ValueType::kUnsigned,
                 .excludes = "operation",
                 .min = 1,
                 .max = 255},
                {.name = "--ttl-dec",
                 .type = ValueType::kUnsigned,
                 .excludes = "operation",
                 .min = 1,
                 .max = 255}},
    .effect = effect,
    .tables = {"mangle"},
};

}  // namespace postern::target
