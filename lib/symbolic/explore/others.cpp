// Packets of others that carry a flow's entry: ICMP errors about it, and the resets that REJECT
// makes of this host. They are RELATED to it, and what rules do to their connmark is done to the
// entry's. Covered by tests/unit/related_error_test.cpp and tests/agreement/adversary_test.cpp.
#include <algorithm>

#include "net/protocol.hpp"
#include "symbolic/explore/model_impl.hpp"

namespace postern {
namespace {

bool has_resets(const Program& program) {
  return std::ranges::any_of(program.rules(), [](const ProgramRule& rule) {
    const Effect* effect = std::get_if<Effect>(&rule.rule->action);
    const Reject* reject = effect == nullptr ? nullptr : std::get_if<Reject>(effect);
    return reject != nullptr && reject->tcp_reset;
  });
}

bool writes_connmark(const ProgramRule& rule) {
  const Effect* effect = std::get_if<Effect>(&rule.rule->action);
  if (effect == nullptr) return false;
  if (const auto* set = std::get_if<SetConnmark>(effect)) {
    return set->op != SetConnmark::Op::kRestore;
  }
  return std::holds_alternative<OpaqueTarget>(*effect);
}

}  // namespace

// Their headers (packet axes); resets only where `resets` can come.
Set Model::Impl::carriers(FlowEnd sender, bool resets) {
  const Family family = program.ruleset().family;
  const std::uint8_t icmp = family == Family::kIpv4 ? protocol::kIcmp : protocol::kIcmpv6;
  const auto is = [&](std::uint8_t number) {
    return space.class_set_if(Axis::kProtocol,
                              [&](const ValueClass& c) { return c.canonical == number; });
  };
  const Set errors = space.class_set_if(Axis::kIcmpType, [&](const ValueClass& c) {
    const auto own = static_cast<std::uint8_t>(c.canonical);
    const std::uint8_t type = sender == FlowEnd::kInitiator ? own : icmp_partner(family, own);
    return icmp_class(family, type) == IcmpClass::kError;
  });
  const Set result = bdd().both(is(icmp), errors);
  if (!resets || !has_resets(program)) return result;
  const Set reset = space.class_set_if(Axis::kTcpFlags, [](const ValueClass& c) {
    return tcp_segment(static_cast<std::uint8_t>(c.canonical)) == TcpSegment::kRst;
  });
  return bdd().either(result, bdd().both(is(protocol::kTcp), reset));
}

// Over kConnmarkBefore and kConnmark, for entries of flows on this path.
Set Model::Impl::marks_by_others(Path flow_path) {
  // What comes to this host from an address of its own is answered over lo in IPv6.
  const bool over_lo = flow_path == Path::kLoopback || program.ruleset().family == Family::kIpv6;
  std::optional<Set>& known = marks_by_others_known[over_lo ? 1 : 0];
  if (known) return *known;
  const bool some = tracking && !space.layout(Axis::kConnmark).variables.empty() &&
                    std::ranges::any_of(program.rules(), writes_connmark);
  if (!some) return *(known = kNothing);
  // Only the host's own replies have an entry in raw already: anything, there.
  const bool raw = std::ranges::any_of(program.rules(), [&](const ProgramRule& rule) {
    return writes_connmark(rule) && program.chains()[rule.chain].table == TableName::kRaw;
  });
  Set relation = raw || translations.some() ? kEverything : kNothing;
  std::vector<Axis> rest;
  for (std::size_t i = 0; i < kAxisCount; ++i) {
    const auto axis = static_cast<Axis>(i);
    if (axis != Axis::kConnmark && axis != Axis::kConnmarkBefore) rest.push_back(axis);
  }
  for (const Path path : {Path::kIn, Path::kOut, Path::kForward, Path::kLoopback}) {
    const bool resets = path == Path::kOut || (path == Path::kLoopback && over_lo);
    const Set carried =
        bdd().both(space.class_is(Axis::kState, static_cast<std::uint32_t>(CtState::kRelated)),
                   carriers(FlowEnd::kInitiator, resets));
    const PathWalk walk =
        walk_path(space, chains, program, path, FlowEnd::kInitiator, walk_options(), {}, carried);
    for (const Set fate : walk.direct.fates) {
      relation = bdd().either(relation, space.exists(fate, rest));
    }
  }
  return *(known = relation);
}

}  // namespace postern
