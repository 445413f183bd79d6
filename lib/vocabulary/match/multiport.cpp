// `-m multiport`: up to 15 ports, a range counting as two (xt_multiport). Unlike tcp and udp it
// needs only the first four bytes of the transport header.
#include <algorithm>
#include <array>

#include "net/protocol.hpp"
#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

constexpr std::array<std::uint8_t, 5> kProtocols{protocol::kTcp, protocol::kUdp, protocol::kUdplite,
                                                 protocol::kSctp, protocol::kDccp};
constexpr std::size_t kSlots = 15;

PredicatePtr in_any(Field field, const std::vector<NumberRange>& ports) {
  std::vector<PredicatePtr> cases;
  for (const NumberRange& range : ports) cases.push_back(in_range(field, range.lo, range.hi));
  return any(std::move(cases));
}

tl::expected<MatchMeaning, Complaint> check(const Arguments& arguments,
                                            const std::vector<NumberRange>& ports) {
  if (!arguments.protocol || arguments.protocol_inverted ||
      std::ranges::find(kProtocols, *arguments.protocol) == kProtocols.end()) {
    return complaint("multiport needs a protocol with ports",
                     "put -p tcp, udp, udplite, sctp or dccp before it");
  }
  std::size_t slots = 0;
  for (const NumberRange& range : ports) {
    slots += range.lo == range.hi ? 1 : 2;
    if (range.lo > range.hi) {
      return complaint("a port range runs backwards", "the lower port first");
    }
  }
  if (slots > kSlots) {
    return complaint("the list takes " + std::to_string(slots) + " places",
                     "at most 15, where a range takes two; split the rule");
  }
  return MatchMeaning{};
}

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  const BoundOption& option = arguments.options.front();  // one: they exclude each other
  const auto& ports = std::get<std::vector<NumberRange>>(option.value);
  if (auto checked = check(arguments, ports); !checked) return checked;
  std::vector<PredicatePtr> cases;
  if (option.spec->name != "--dports") cases.push_back(in_any(Field::kSourcePort, ports));
  if (option.spec->name != "--sports") cases.push_back(in_any(Field::kDestinationPort, ports));
  const PredicatePtr of_protocol = equals(Field::kProtocol, *arguments.protocol);
  const PredicatePtr first = equals(Field::kFragmentOffset, 0);
  const PredicatePtr no_ports = cut_before(Field::kDestinationPort);
  return MatchMeaning{all({of_protocol, first, negate(no_ports),
                           negate_if(option.inverted, any(std::move(cases)))}),
                      all({of_protocol, first, no_ports})};
}

}  // namespace

extern const Match multiport;
const Match multiport{
    .name = "multiport",
    .options = {{.name = "--sports",
                 .aliases = {"--source-ports"},
                 .type = ValueType::kPortList,
                 .invertible = true,
                 .required = true,
                 .excludes = "ports"},
                {.name = "--dports",
                 .aliases = {"--destination-ports"},
                 .type = ValueType::kPortList,
                 .invertible = true,
                 .excludes = "ports"},
                {.name = "--ports",
                 .type = ValueType::kPortList,
                 .invertible = true,
                 .excludes = "ports"}},
    .meaning = meaning,
};

}  // namespace postern::match
