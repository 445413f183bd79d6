// `-j CONNMARK`: writes the mark of the entry, or copies it from or to the packet (xt_connmark,
// connmark_tg). Without an entry it does nothing (kernel-facts 20).
#include "vocabulary/build.hpp"

namespace postern::target {
namespace {

using Op = SetConnmark::Op;

std::optional<std::uint32_t> number(const Arguments& arguments, std::string_view name) {
  const auto* value = arguments.get<NumberRange>(name);
  return value == nullptr ? std::nullopt : std::optional(static_cast<std::uint32_t>(value->lo));
}

// The spellings of kSet: value and mask as --set-xmark would have them.
SetConnmark set_operation(const BoundOption& option, std::optional<std::uint32_t> mask) {
  const auto& read = std::get<MaskedNumber>(option.value);
  const auto value = static_cast<std::uint32_t>(read.value);
  SetConnmark result{
      .op = Op::kSet, .value = value, .ctmask = static_cast<std::uint32_t>(read.mask)};
  if (option.spec->name == "--set-mark") result.ctmask |= value;
  if (option.spec->name == "--and-mark") result = {.value = 0, .ctmask = ~value};
  if (option.spec->name == "--or-mark") result.ctmask = value;
  if (option.spec->name == "--xor-mark") result.ctmask = 0;
  if (mask) result.ctmask = *mask;
  return result;
}

SetConnmark operation(const Arguments& arguments) {
  for (const BoundOption& option : arguments.options) {
    if (option.spec->excludes != "operation" || option.spec->type == ValueType::kFlag) continue;
    return set_operation(option, number(arguments, "--mask"));
  }
  SetConnmark result{.op = arguments.has("--save-mark") ? Op::kSave : Op::kRestore};
  const std::uint32_t both = number(arguments, "--mask").value_or(0xffffffff);
  result.nfmask = number(arguments, "--nfmask").value_or(both);
  result.ctmask = number(arguments, "--ctmask").value_or(both);
  return result;
}

tl::expected<Effect, Complaint> effect(const Arguments& arguments) {
  const SetConnmark result = operation(arguments);
  if (arguments.has("--left-shift-mark") || arguments.has("--right-shift-mark")) {
    return Effect{OpaqueTarget{.why = "CONNMARK: shifted marks are not modelled"}};
  }
  return Effect{result};
}

std::string print(const Arguments& arguments) {
  const SetConnmark result = operation(arguments);
  std::string text;
  if (result.op == Op::kSet) {
    text = "--set-xmark " + hex(result.value) + "/" + hex(result.ctmask);
  } else {
    text = std::string(result.op == Op::kSave ? "--save-mark" : "--restore-mark") + " --nfmask " +
           hex(result.nfmask) + " --ctmask " + hex(result.ctmask);
  }
  append_bound(text, arguments, "--left-shift-mark");
  append_bound(text, arguments, "--right-shift-mark");
  return text;
}

}  // namespace

extern const Target connmark;
const Target connmark{
    .name = "CONNMARK",
    .options = {{.name = "--set-xmark",
                 .type = ValueType::kMasked,
                 .required = true,
                 .excludes = "operation"},
                {.name = "--set-mark", .type = ValueType::kMasked, .excludes = "operation"},
                {.name = "--and-mark", .type = ValueType::kMasked, .excludes = "operation"},
                {.name = "--or-mark", .type = ValueType::kMasked, .excludes = "operation"},
                {.name = "--xor-mark", .type = ValueType::kMasked, .excludes = "operation"},
                {.name = "--save-mark", .excludes = "operation"},
                {.name = "--restore-mark", .excludes = "operation"},
                {.name = "--nfmask", .type = ValueType::kHex},
                {.name = "--ctmask", .type = ValueType::kHex},
                {.name = "--mask", .type = ValueType::kHex},
                {.name = "--left-shift-mark",
                 .type = ValueType::kUnsigned,
                 .excludes = "shift",
                 .max = 32},
                {.name = "--right-shift-mark",
                 .type = ValueType::kUnsigned,
                 .excludes = "shift",
                 .max = 32}},
    .effect = effect,
    .switches_on_tracking = true,
    .print = print,
};

}  // namespace postern::target
