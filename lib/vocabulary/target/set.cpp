// `-j SET`: adds the packet's addresses to an ipset, or removes them (xt_SET). A set that a rule
// writes is opaque where it is read. --map-set copies marks out of a set: not in the text.
#include "vocabulary/build.hpp"

namespace postern::target {
namespace {

using Words = std::vector<std::string>;
constexpr std::string_view kOperations[] = {"--add-set", "--del-set", "--map-set"};

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
  if (arguments.has("--map-set")) {
    return Effect{OpaqueTarget{"SET --map-set: what the set says about the packet"}};
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
};

}  // namespace postern::target
