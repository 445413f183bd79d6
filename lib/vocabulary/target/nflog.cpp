// `-j NFLOG`: a copy to a program in user space (xt_NFLOG).
#include "vocabulary/build.hpp"

namespace postern::target {
namespace {

constexpr std::size_t kLongestPrefix = 63;  // longer ones are cut, as iptables does

std::string print(const Arguments& arguments) {
  std::string text;
  if (const auto* prefix = arguments.get<std::string>("--nflog-prefix")) {
    append_option(text, false, "--nflog-prefix", quote_word(prefix->substr(0, kLongestPrefix)));
  }
  const auto* group = arguments.get<NumberRange>("--nflog-group");
  if (group != nullptr && group->lo != 0) append_bound(text, arguments, "--nflog-group");
  append_bound(text, arguments, "--nflog-range");
  append_bound(text, arguments, "--nflog-size");
  append_bound(text, arguments, "--nflog-threshold");
  return text;
}

}  // namespace

extern const Target nflog;
const Target nflog{
    .name = "NFLOG",
    .options = {{.name = "--nflog-prefix", .type = ValueType::kText},
                {.name = "--nflog-group", .type = ValueType::kUnsigned, .max = 65535},
                {.name = "--nflog-range", .type = ValueType::kUnsigned, .excludes = "size"},
                {.name = "--nflog-size", .type = ValueType::kUnsigned, .excludes = "size"},
                {.name = "--nflog-threshold", .type = ValueType::kUnsigned, .max = 65535}},
    .effect = annotates("NFLOG"),
    .print = print,
};

}  // namespace postern::target
