// `-j LED`: blinks (xt_LED).
#include "vocabulary/build.hpp"

namespace postern::target {
namespace {

// iptables-save always quotes the name.
std::string print(const Arguments& arguments) {
  std::string text;
  append_option(text, false, "--led-trigger-id",
                "\"" + *arguments.get<std::string>("--led-trigger-id") + "\"");
  append_bound(text, arguments, "--led-delay");
  append_bound(text, arguments, "--led-always-blink");
  return text;
}

}  // namespace

extern const Target led;
const Target led{
    .name = "LED",
    .options = {{.name = "--led-trigger-id", .type = ValueType::kText, .required = true},
                {.name = "--led-delay", .type = ValueType::kText},
                {.name = "--led-always-blink"}},
    .effect = annotates("LED"),
    .print = print,
};

}  // namespace postern::target
