// `-m recent`: a list of addresses that rules fill (xt_recent). --set always matches and writes;
// what the others find depends on the packets before, on /proc, and on the list's size.
#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

constexpr std::string_view kActions[] = {"--set", "--rcheck", "--update", "--remove"};

const BoundOption* action(const Arguments& arguments) {
  for (const std::string_view name : kActions) {
    if (const BoundOption* option = arguments.find(name)) return option;
  }
  return nullptr;
}

std::string list_name(const Arguments& arguments) {
  const auto* name = arguments.get<std::string>("--name");
  return name == nullptr ? "DEFAULT" : *name;
}

std::string mask(const Arguments& arguments) {
  const Address all{arguments.family, low_bits(address_bits(arguments.family))};
  const auto* given = arguments.get<AddressRange>("--mask");
  return given == nullptr ? all.text() : given->low.text();
}

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  const BoundOption* option = action(arguments);
  const std::string_view what = option->spec->name;
  if (arguments.has("--reap") && !arguments.has("--seconds")) {
    return complaint("--reap without --seconds", "add --seconds");
  }
  // Fails only when the kernel has no memory for the entry.
  if (what == "--set") return MatchMeaning{constant(!option->inverted)};
  return MatchMeaning{
      opaque("recent: whether the list " + list_name(arguments) + " has the address")};
}

std::string print(const Arguments& arguments) {
  std::string text;
  for (const std::string_view name : kActions) append_bound(text, arguments, name);
  append_bound(text, arguments, "--seconds");
  append_bound(text, arguments, "--reap");
  append_bound(text, arguments, "--hitcount");
  append_bound(text, arguments, "--rttl");
  append_option(text, false, "--name", list_name(arguments));
  append_option(text, false, "--mask", mask(arguments));
  append_option(text, false, arguments.has("--rdest") ? "--rdest" : "--rsource");
  return text;
}

std::optional<std::string> refused(const Arguments& arguments, const RulePlace&) {
  const std::string_view what = action(arguments)->spec->name;
  if (what == "--rcheck" || what == "--update") return std::nullopt;
  for (const std::string_view name : {"--rttl", "--seconds", "--hitcount"}) {
    if (arguments.has(name)) return std::string(name) + " goes only with --rcheck and --update";
  }
  return std::nullopt;
}

constexpr OptionSpec choice(std::string_view name, bool required) {
  return {.name = name,
          .type = ValueType::kFlag,
          .invertible = true,
          .required = required,
          .excludes = "action"};
}

}  // namespace

extern const Match recent;
const Match recent{
    .name = "recent",
    .options = {choice("--set", true),
                choice("--rcheck", false),
                choice("--update", false),
                choice("--remove", false),
                {.name = "--seconds", .type = ValueType::kUnsigned, .min = 1},
                {.name = "--hitcount", .type = ValueType::kUnsigned},
                {.name = "--reap"},
                {.name = "--rttl"},
                {.name = "--name", .type = ValueType::kText},
                {.name = "--rsource", .excludes = "side"},
                {.name = "--rdest", .excludes = "side"},
                {.name = "--mask", .type = ValueType::kAddress}},
    .meaning = meaning,
    .print = print,
    .refused = refused,
};

}  // namespace postern::match
