// `-j SET`: adds the packet's addresses to an ipset, or removes them (xt_SET). A set that a rule
// writes is opaque where it is read. --map-set copies marks out of a set: not in the text.
#include <array>

#include "vocabulary/build.hpp"

namespace postern::target {
namespace {

using Words = std::vector<std::string>;
constexpr std::string_view kOperations[] = {"--add-set", "--del-set", "--map-set"};

// Options that qualify another one must stand beside it, and a map says what it copies.
std::optional<std::string> lonely(const Arguments& arguments) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kOnlyWith{
      {{"--exist", "--add-set"},
       {"--timeout", "--add-set"},
       {"--map-mark", "--map-set"},
       {"--map-prio", "--map-set"},
       {"--map-queue", "--map-set"}}};
  bool copies = false;
  for (const auto& [option, with] : kOnlyWith) {
    if (arguments.has(option) && !arguments.has(with)) {
      return std::string(option) + " goes with " + std::string(with) + " only";
    }
    copies = copies || (arguments.has(option) && with == "--map-set");
  }
  if (arguments.has("--map-set") && !copies) {
    return "--map-set without --map-mark, --map-prio or --map-queue";
  }
  return std::nullopt;
}

tl::expected<Effect, Complaint> effect(const Arguments& arguments) {
  std::string what;
  for (const std::string_view name : kOperations) {
    const auto* words = arguments.get<Words>(name);
    if (words == nullptr) continue;
    const std::vector<std::string> flags = split((*words)[1], ',');
    if (flags.size() > 6) return complaint("more than 6 of src and dst", "at most 6");
    for (const std::string& flag : flags) {
      if (flag != "src" && flag != "dst") {
        return complaint("\"" + flag + "\" is neither src nor dst", "a comma list of src and dst");
      }
    }
    what = "SET writes the set " + (*words)[0];
  }
  if (what.empty()) return complaint("SET without a set", "add --add-set NAME src");
  if (const auto why = lonely(arguments)) return complaint(*why, "man iptables-extensions, SET");
  if (arguments.has("--map-set")) {
    return Effect{OpaqueTarget{.why = "SET --map-set: what the set says about the packet"}};
  }
  return Effect{Annotate{what}};
}

std::string print(const Arguments& arguments) {
  std::string text;
  for (const std::string_view name : kOperations) {
    const auto* words = arguments.get<Words>(name);
    if (words != nullptr) append_option(text, false, name, (*words)[0] + " " + (*words)[1]);
  }
  for (const std::string_view name :
       {"--exist", "--timeout", "--map-mark", "--map-prio", "--map-queue"}) {
    append_bound(text, arguments, name);
  }
  return text;
}

// Maps belong to table mangle; priority and queue count only where a packet is about to leave.
std::optional<std::string> refused(const Arguments& arguments, const RulePlace& place) {
  if (!arguments.has("--map-set")) return std::nullopt;
  if (place.table != "mangle") return "SET --map-set belongs to table mangle";
  if (!arguments.has("--map-prio") && !arguments.has("--map-queue")) return std::nullopt;
  for (const std::string_view hook : place.hooks) {
    if (hook == "PREROUTING" || hook == "INPUT") {
      return "SET --map-prio and --map-queue belong to FORWARD, OUTPUT and POSTROUTING";
    }
  }
  return std::nullopt;
}

}  // namespace

extern const Target set;
const Target set{
    .name = "SET",
    .options = {{.name = "--add-set", .type = ValueType::kTextPair},
                {.name = "--del-set", .type = ValueType::kTextPair},
                {.name = "--map-set", .type = ValueType::kTextPair},
                {.name = "--exist"},
                {.name = "--timeout", .type = ValueType::kUnsigned},
                {.name = "--map-mark"},
                {.name = "--map-prio"},
                {.name = "--map-queue"}},
    .effect = effect,
    .print = print,
    .refused = refused,
};

}  // namespace postern::target
