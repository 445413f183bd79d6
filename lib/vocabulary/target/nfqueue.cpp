// `-j NFQUEUE`: a program in user space decides (xt_NFQUEUE; without one the packet is dropped, or
// accepted with --queue-bypass: kernel-facts 14).
#include "vocabulary/build.hpp"

namespace postern::target {
namespace {

tl::expected<Effect, Complaint> effect(const Arguments& arguments) {
  const auto* balance = arguments.get<NumberRange>("--queue-balance");
  if (balance != nullptr && balance->lo >= balance->hi) {
    return complaint("--queue-balance needs two queues", "such as 0:3");
  }
  if (arguments.has("--queue-cpu-fanout") && balance == nullptr) {
    return complaint("--queue-cpu-fanout without --queue-balance", "add --queue-balance");
  }
  return Effect{OpaqueTarget{.why = "NFQUEUE: the program that reads the queue decides"}};
}

std::string print(const Arguments& arguments) {
  std::string text;
  append_bound(text, arguments, "--queue-num");
  append_bound(text, arguments, "--queue-balance");
  if (text.empty()) append_option(text, false, "--queue-num", "0");
  append_bound(text, arguments, "--queue-bypass");
  append_bound(text, arguments, "--queue-cpu-fanout");
  return text;
}

}  // namespace

extern const Target nfqueue;
const Target nfqueue{
    .name = "NFQUEUE",
    .options =
        {{.name = "--queue-num", .type = ValueType::kUnsigned, .excludes = "queue", .max = 65535},
         {.name = "--queue-balance", .type = ValueType::kRange, .excludes = "queue", .max = 65535},
         {.name = "--queue-bypass"},
         {.name = "--queue-cpu-fanout"}},
    .effect = effect,
    .print = print,
};

}  // namespace postern::target
