// `-j HL`: writes the hop limit (xt_HL). Counting stops at 0 and 255.
#include "vocabulary/build.hpp"

namespace postern::target {
namespace {

tl::expected<Effect, Complaint> effect(const Arguments& arguments) {
  return hop_limit_change(arguments, "--hl");
}

}  // namespace

extern const Target hl;
const Target hl{
    .name = "HL",
    .families = {Family::kIpv6},
    .options = {{.name = "--hl-set",
                 .type = ValueType::kUnsigned,
                 .required = true,
                 .excludes = "operation",
                 .max = 255},
                {.name = "--hl-inc",
                 .type = ValueType::kUnsigned,
                 .excludes = "operation",
                 .min = 1,
                 .max = 255},
                {.name = "--hl-dec",
                 .type = ValueType::kUnsigned,
                 .excludes = "operation",
                 .min = 1,
                 .max = 255}},
    .effect = effect,
    .tables = {"mangle"},
};

}  // namespace postern::target
