// `-j MARK`: changes the packet's mark (xt_mark, mark_tg). Five spellings of one operation.
#include "vocabulary/build.hpp"

namespace postern::target {
namespace {

tl::expected<Effect, Complaint> effect(const Arguments& arguments) {
  const BoundOption& option = arguments.options.front();  // exactly one: they exclude each other
  const auto& [value, mask] = std::get<MaskedNumber>(option.value);
  const auto bits = static_cast<std::uint32_t>(value);
  const auto wide_mask = static_cast<std::uint32_t>(mask);
  if (option.spec->name == "--set-mark") return Effect{SetMark{bits, wide_mask | bits}};
  if (option.spec->name == "--and-mark") return Effect{SetMark{0, ~bits}};
  if (option.spec->name == "--or-mark") return Effect{SetMark{bits, bits}};
  if (option.spec->name == "--xor-mark") return Effect{SetMark{bits, 0}};
  return Effect{SetMark{bits, wide_mask}};
}

std::string print(const Arguments& arguments) {
  const Effect read = *effect(arguments);
  const auto& mark = std::get<SetMark>(read);
  return "--set-xmark " + hex(mark.value) + "/" + hex(mark.mask);
}

}  // namespace

extern const Target mark;
const Target mark{
    .name = "MARK",
    .options = {{.name = "--set-xmark",
                 .type = ValueType::kMasked,
                 .required = true,
                 .excludes = "operation"},
                {.name = "--set-mark", .type = ValueType::kMasked, .excludes = "operation"},
                {.name = "--and-mark", .type = ValueType::kMasked, .excludes = "operation"},
                {.name = "--or-mark", .type = ValueType::kMasked, .excludes = "operation"},
                {.name = "--xor-mark", .type = ValueType::kMasked, .excludes = "operation"}},
    .effect = effect,
    .print = print,
};

}  // namespace postern::target
