// `-j TPROXY`: hands the packet to a local socket, or drops it when there is none (xt_TPROXY).
// What a socket takes carries --tproxy-mark's mark from there on.
#include "net/protocol.hpp"
#include "vocabulary/build.hpp"

namespace postern::target {
namespace {

tl::expected<Effect, Complaint> effect(const Arguments& arguments) {
  ToSocket result{"TPROXY: a socket for the packet", {0, 0}};
  if (const auto* mark = arguments.get<MaskedNumber>("--tproxy-mark")) {
    result.mark = {static_cast<std::uint32_t>(mark->value), static_cast<std::uint32_t>(mark->mask)};
  }
  return Effect{std::move(result)};
}

std::string print(const Arguments& arguments) {
  std::string text;
  append_bound(text, arguments, "--on-port");
  const Address none{arguments.family, 0};
  const auto* address = arguments.get<AddressRange>("--on-ip");
  append_option(text, false, "--on-ip", (address == nullptr ? none : address->low).text());
  const auto* mark = arguments.get<MaskedNumber>("--tproxy-mark");
  append_option(text, false, "--tproxy-mark",
                mark == nullptr ? "0x0/0x0" : hex(mark->value) + "/" + hex(mark->mask));
  return text;
}

std::optional<std::string> refused(const Arguments& arguments, const RulePlace&) {
  const bool right =
      arguments.protocol && !arguments.protocol_inverted &&
      (*arguments.protocol == protocol::kTcp || *arguments.protocol == protocol::kUdp);
  if (right) return std::nullopt;
  return "it needs -p tcp or -p udp";
}

}  // namespace

extern const Target tproxy;
const Target tproxy{
    .name = "TPROXY",
    .options =
        {{.name = "--on-port", .type = ValueType::kPort, .required = true, .any_service = true},
         {.name = "--on-ip", .type = ValueType::kAddress},
         {.name = "--tproxy-mark", .type = ValueType::kMasked}},
    .effect = effect,
    .print = print,
    .tables = {"mangle"},
    .hooks = {"PREROUTING"},
    .refused = refused,
};

}  // namespace postern::target
