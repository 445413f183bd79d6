// `-j DSCP`: writes the six upper bits of the type-of-service byte or traffic class (xt_DSCP).
#include "vocabulary/tos_names.hpp"

namespace postern::target {
namespace {

tl::expected<std::uint64_t, Complaint> code(const Arguments& arguments) {
  return read_dscp(arguments, "--set-dscp", "--set-dscp-class");
}

tl::expected<Effect, Complaint> effect(const Arguments& arguments) {
  return code(arguments).map([](std::uint64_t value) {
    return Effect{SetField{Field::kTos, value << 2, 0xfc}};
  });
}

std::string print(const Arguments& arguments) {
  return "--set-dscp " + print_dscp(*code(arguments));
}

}  // namespace

extern const Target dscp;
const Target dscp{
    .name = "DSCP",
    .options = {{.name = "--set-dscp",
                 .type = ValueType::kUnsigned,
                 .required = true,
                 .excludes = "code",
                 .max = 63},
                {.name = "--set-dscp-class", .type = ValueType::kText, .excludes = "code"}},
    .effect = effect,
    .print = print,
    .tables = {"mangle"},
};

}  // namespace postern::target
