// `-j TCPOPTSTRIP`: overwrites TCP options with no-operations (xt_TCPOPTSTRIP). Options are not
// written by any effect of the model, so the target is opaque.
#include <set>

#include "net/protocol.hpp"
#include "vocabulary/build.hpp"

namespace postern::target {
namespace {

constexpr NamedValue kOptions[] = {{"wscale", 3}, {"mss", 2},       {"sack-permitted", 4},
                                   {"sack", 5},   {"timestamp", 8}, {"md5", 19}};

tl::expected<std::set<std::uint64_t>, Complaint> kinds(const Arguments& arguments) {
  std::set<std::uint64_t> result;
  for (const std::string& word : *arguments.get<std::vector<std::string>>("--strip-options")) {
    const auto number = read_number(word);
    if (number && *number < 2) {
      return complaint("options 0 and 1 are padding and cannot be stripped", "2 to 255, or a name");
    }
    if (number && *number <= 255) {
      result.insert(*number);
      continue;
    }
    const auto named = read_name(kOptions, word, "TCP option (nor a number)", false);
    if (!named) return tl::unexpected(named.error());
    result.insert(*named);
  }
  return result;
}

tl::expected<Effect, Complaint> effect(const Arguments& arguments) {
  if (const auto read = kinds(arguments); !read) return tl::unexpected(read.error());
  return Effect{OpaqueTarget{.why = "TCPOPTSTRIP: changes of TCP options are not modelled"}};
}

std::string print(const Arguments& arguments) {
  std::string list;
  const std::set<std::uint64_t> stripped = *kinds(arguments);
  for (const std::uint64_t kind : stripped) {
    list += (list.empty() ? "" : ",") + std::to_string(kind);
  }
  return "--strip-options " + list;
}

}  // namespace

extern const Target tcpoptstrip;
const Target tcpoptstrip{
    .name = "TCPOPTSTRIP",
    .protocols = {protocol::kTcp},
    .options = {{.name = "--strip-options", .type = ValueType::kWordList, .required = true}},
    .effect = effect,
    .print = print,
    .tables = {"mangle"},
};

}  // namespace postern::target
