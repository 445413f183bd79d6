// `-j TOS`: writes the type-of-service byte or traffic class (xt_DSCP.c, tos_tg).
#include "vocabulary/tos_names.hpp"

namespace postern::target {
namespace {

// tos = (tos & ~mask) ^ value.
tl::expected<MaskedNumber, Complaint> change(const Arguments& arguments) {
  if (const auto* word = arguments.get<std::string>("--set-tos")) return read_tos(*word);
  const BoundOption& option = arguments.options.front();  // one: they exclude each other
  const auto bits = static_cast<std::uint64_t>(std::get<NumberRange>(option.value).lo);
  if (option.spec->name == "--and-tos") return MaskedNumber{0, ~bits & 0xff};
  if (option.spec->name == "--or-tos") return MaskedNumber{bits, bits};
  return MaskedNumber{bits, 0};
}

tl::expected<Effect, Complaint> effect(const Arguments& arguments) {
  return change(arguments).map([](const MaskedNumber& tos) {
    return Effect{SetField{Field::kTos, tos.value, tos.mask}};
  });
}

std::string print(const Arguments& arguments) {
  return "--set-tos " + print_tos(*change(arguments));
}

}  // namespace

extern const Target tos;
const Target tos{
    .name = "TOS",
    .options =
        {{.name = "--set-tos", .type = ValueType::kText, .required = true, .excludes = "operation"},
         {.name = "--and-tos", .type = ValueType::kUnsigned, .excludes = "operation", .max = 255},
         {.name = "--or-tos", .type = ValueType::kUnsigned, .excludes = "operation", .max = 255},
         {.name = "--xor-tos", .type = ValueType::kUnsigned, .excludes = "operation", .max = 255}},
    .effect = effect,
    .print = print,
    .tables = {"mangle"},
};

}  // namespace postern::target
