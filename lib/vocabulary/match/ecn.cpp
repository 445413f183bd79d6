// `-m ecn`: explicit congestion notification in the IP header and in TCP flags (xt_ecn). The kernel
// reads the TCP flags of later fragments as well, from whatever bytes stand there.
#include "net/protocol.hpp"
#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

PredicatePtr flag_test(const Arguments& arguments, std::string_view name, std::uint8_t flag) {
  if (!arguments.has(name)) return constant(true);
  return negate_if(arguments.inverted(name), masked(Field::kTcpFlags, flag, flag));
}

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  if (arguments.options.empty()) {
    return complaint("-m ecn without an option", "add --ecn-ip-ect or another of its options");
  }
  PredicatePtr ip = constant(true);
  if (const auto* ect = arguments.get<NumberRange>("--ecn-ip-ect")) {
    ip = negate_if(arguments.inverted("--ecn-ip-ect"), masked(Field::kTos, ect->lo, 3));
  }
  if (!arguments.has("--ecn-tcp-ece") && !arguments.has("--ecn-tcp-cwr")) return MatchMeaning{ip};
  const PredicatePtr flags = all({flag_test(arguments, "--ecn-tcp-ece", tcp_flag::kEce),
                                  flag_test(arguments, "--ecn-tcp-cwr", tcp_flag::kCwr)});
  const PredicatePtr later =
      all({equals(Field::kProtocol, protocol::kTcp), negate(equals(Field::kFragmentOffset, 0)),
           opaque("ecn: bytes of a later fragment")});
  return MatchMeaning{all({ip, any({all({has_transport(protocol::kTcp), flags}), later})})};
}

std::optional<std::string> refused(const Arguments& arguments, const RulePlace&) {
  const bool tcp = arguments.protocol == protocol::kTcp && !arguments.protocol_inverted;
  if (tcp || (!arguments.has("--ecn-tcp-ece") && !arguments.has("--ecn-tcp-cwr"))) {
    return std::nullopt;
  }
  return "--ecn-tcp-ece and --ecn-tcp-cwr need -p tcp";
}

}  // namespace

extern const Match ecn;
const Match ecn{
    .name = "ecn",
    .options =
        {{.name = "--ecn-tcp-ece", .invertible = true},
         {.name = "--ecn-tcp-cwr", .invertible = true},
         {.name = "--ecn-ip-ect", .type = ValueType::kUnsigned, .invertible = true, .max = 3}},
    .meaning = meaning,
    .refused = refused,
};

}  // namespace postern::match
