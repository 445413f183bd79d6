// `-j CLASSIFY`: the class for traffic shaping, which no rule reads (xt_CLASSIFY).
#include <fmt/format.h>

#include "vocabulary/build.hpp"

namespace postern::target {
namespace {

// "major:minor", both hexadecimal.
std::optional<std::string> read(const std::string& word) {
  const std::vector<std::string> parts = split(word, ':');
  if (parts.size() != 2) return std::nullopt;
  std::string text;
  for (const std::string& part : parts) {
    const auto number = read_number("0x" + part);
    if (!number || *number > 0xffff) return std::nullopt;
    text += fmt::format("{}{:04x}", text.empty() ? "" : ":", *number);
  }
  return text;
}

tl::expected<Effect, Complaint> effect(const Arguments& arguments) {
  const std::string& word = *arguments.get<std::string>("--set-class");
  if (!read(word)) return complaint("\"" + word + "\" is not a class", "major:minor, such as 1:10");
  return Effect{Annotate{"CLASSIFY"}};
}

std::string print(const Arguments& arguments) {
  return "--set-class " + *read(*arguments.get<std::string>("--set-class"));
}

}  // namespace

extern const Target classify;
const Target classify{
    .name = "CLASSIFY",
    .options = {{.name = "--set-class", .type = ValueType::kText, .required = true}},
    .effect = effect,
    .print = print,
    .tables = {"mangle"},
    .hooks = {"FORWARD", "OUTPUT", "POSTROUTING"},
};

}  // namespace postern::target
