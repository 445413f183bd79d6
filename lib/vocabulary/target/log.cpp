// `-j LOG`: writes a line to the kernel log and goes on (xt_LOG).
#include <array>

#include "vocabulary/build.hpp"

namespace postern::target {
namespace {

constexpr std::array<NamedValue, 9> kLevels{{{"alert", 1},
                                             {"crit", 2},
                                             {"debug", 7},
                                             {"emerg", 0},
                                             {"error", 3},
                                             {"info", 6},
                                             {"notice", 5},
                                             {"panic", 0},
                                             {"warning", 4}}};

constexpr std::size_t kLongestPrefix = 29;  // longer ones are cut, as iptables does

tl::expected<std::uint64_t, Complaint> level(const Arguments& arguments) {
  const auto* word = arguments.get<std::string>("--log-level");
  if (word == nullptr) return 4;
  if (const auto number = read_number(*word); number && *number <= 7) return *number;
  return read_name(kLevels, *word, "log level (nor a number from 0 to 7)", false);
}

tl::expected<Effect, Complaint> effect(const Arguments& arguments) {
  if (const auto read = level(arguments); !read) return tl::unexpected(read.error());
  return Effect{Annotate{"LOG"}};
}

std::string print(const Arguments& arguments) {
  std::string text;
  if (const auto* prefix = arguments.get<std::string>("--log-prefix")) {
    append_option(text, false, "--log-prefix", quote_word(prefix->substr(0, kLongestPrefix)));
  }
  if (const auto number = *level(arguments); number != 4) {
    append_option(text, false, "--log-level", std::to_string(number));
  }
  for (const std::string_view name : {"--log-tcp-sequence", "--log-tcp-options", "--log-ip-options",
                                      "--log-uid", "--log-macdecode"}) {
    if (arguments.has(name)) append_option(text, false, name);
  }
  return text;
}

}  // namespace

extern const Target log;
const Target log{
    .name = "LOG",
    .options = {{.name = "--log-prefix", .type = ValueType::kText},
                {.name = "--log-level", .type = ValueType::kText},
                {.name = "--log-tcp-sequence"},
                {.name = "--log-tcp-options"},
                {.name = "--log-ip-options"},
                {.name = "--log-uid"},
                {.name = "--log-macdecode"}},
    .effect = effect,
    .print = print,
};

}  // namespace postern::target
