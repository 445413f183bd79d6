// `-j ECN`: writes the congestion bits of the IP header or of TCP flags (ipt_ECN).
#include "net/protocol.hpp"
#include "vocabulary/build.hpp"

namespace postern::target {
namespace {

// One SetField where one field is written, else an opaque target: nothing is lost but precision.
tl::expected<Effect, Complaint> effect(const Arguments& arguments) {
  if (arguments.options.empty()) {
    return complaint("ECN without an option", "add --ecn-tcp-remove or another of its options");
  }
  SetField flags{Field::kTcpFlags, 0, 0};
  if (arguments.has("--ecn-tcp-remove")) {
    if (arguments.has("--ecn-tcp-ece") || arguments.has("--ecn-tcp-cwr")) {
      return complaint("--ecn-tcp-remove goes with neither --ecn-tcp-ece nor --ecn-tcp-cwr",
                       "keep one of them");
    }
    flags.mask = tcp_flag::kEce | tcp_flag::kCwr;
  }
  const auto write = [&](std::string_view name, std::uint8_t flag) {
    const auto* value = arguments.get<NumberRange>(name);
    if (value == nullptr) return;
    flags.mask |= flag;
    if (value->lo == 1) flags.value |= flag;
  };
  write("--ecn-tcp-ece", tcp_flag::kEce);
  write("--ecn-tcp-cwr", tcp_flag::kCwr);
  const auto* ect = arguments.get<NumberRange>("--ecn-ip-ect");
  if (ect == nullptr) return Effect{flags};
  if (flags.mask == 0) return Effect{SetField{Field::kTos, ect->lo, 3}};
  return Effect{OpaqueTarget{.why = "ECN: several fields at once are not modelled"}};
}

std::optional<std::string> refused(const Arguments& arguments, const RulePlace&) {
  const bool tcp = arguments.protocol == protocol::kTcp && !arguments.protocol_inverted;
  const bool only_ip = arguments.options.size() == 1 && arguments.has("--ecn-ip-ect");
  if (tcp || only_ip) return std::nullopt;
  return "changing TCP flags needs -p tcp";
}

}  // namespace

extern const Target ecn;
const Target ecn{
    .name = "ECN",
    .families = {Family::kIpv4},
    .options = {{.name = "--ecn-tcp-remove"},
                {.name = "--ecn-tcp-ece", .type = ValueType::kUnsigned, .max = 1},
                {.name = "--ecn-tcp-cwr", .type = ValueType::kUnsigned, .max = 1},
                {.name = "--ecn-ip-ect", .type = ValueType::kUnsigned, .max = 3}},
    .effect = effect,
    .tables = {"mangle"},
    .refused = refused,
};

}  // namespace postern::target
