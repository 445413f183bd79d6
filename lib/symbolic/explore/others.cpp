// Packets of others that carry a flow's entry: ICMP errors about it, and the resets that REJECT
// makes of this host. They are RELATED to it, and what rules do to their connmark is done to the
// entry's. Covered by tests/unit/related_error_test.cpp and tests/agreement/adversary_test.cpp.
#include <algorithm>
#include <array>

#include "flow/odd_headers.hpp"
#include "net/protocol.hpp"
#include "symbolic/explore/model_impl.hpp"

namespace postern {
namespace {

constexpr std::array kEntryFields{Field::kCtState,
                                  Field::kCtStatus,
                                  Field::kCtDirection,
                                  Field::kCtMark,
                                  Field::kCtZone,
                                  Field::kCtProtocol,
                                  Field::kCtOriginalSource,
                                  Field::kCtOriginalDestination,
                                  Field::kCtOriginalSourcePort,
                                  Field::kCtOriginalDestinationPort,
                                  Field::kCtReplySource,
                                  Field::kCtReplyDestination,
                                  Field::kCtReplySourcePort,
                                  Field::kCtReplyDestinationPort};

bool has_resets(const Program& program) {
  return std::ranges::any_of(program.rules(), [](const ProgramRule& rule) {
    const Effect* effect = std::get_if<Effect>(&rule.rule->action);
    const Reject* reject = effect == nullptr ? nullptr : std::get_if<Reject>(effect);
    return reject != nullptr && reject->tcp_reset;
  });
}

// Redirects of IPv6 that may quote as errors do. (Their hop limit must be 255: over.)
Set redirects(Space& space, FlowEnd sender) {
  if (space.classes().family == Family::kIpv4) return kNothing;
  const Axis source = sender == FlowEnd::kInitiator ? Axis::kInitiator : Axis::kResponder;
  const Set link_local = space.may_be(source, u128{0x3fa} << 118, (u128{0x3fb} << 118) - 1);
  const Set type = space.may_be(Axis::kIcmpType, kIcmpv6Redirect);
  return space.bdd().both(space.bdd().both(type, space.may_be(Axis::kIcmpCode, 0, 0)), link_local);
}

bool writes_connmark(const ProgramRule& rule) {
  const Effect* effect = std::get_if<Effect>(&rule.rule->action);
  if (effect == nullptr) return false;
  if (const auto* set = std::get_if<SetConnmark>(effect)) {
    return set->op != SetConnmark::Op::kRestore;
  }
  return std::holds_alternative<OpaqueTarget>(*effect);
}

// Does the rule do something else to a packet that has an entry?
bool heeds_entries(const ProgramRule& rule) {
  const Effect* effect = std::get_if<Effect>(&rule.rule->action);
  const bool attaches = effect != nullptr && (std::holds_alternative<NoTrack>(*effect) ||
                                              std::holds_alternative<AttachTemplate>(*effect));
  if (attaches || writes_connmark(rule)) return true;
  return std::ranges::any_of(rule.rule->clauses, [](const Clause& clause) {
    return std::ranges::any_of(kEntryFields,
                               [&](Field field) { return mentions(*clause.predicate, field); });
  });
}

}  // namespace

// Their headers (packet axes); resets only where `resets` can come.
Set Model::Impl::carriers(FlowEnd sender, bool resets) {
  const Family family = program.ruleset().family;
  const std::uint8_t icmp = family == Family::kIpv4 ? protocol::kIcmp : protocol::kIcmpv6;
  const Set errors = space.class_set_if(Axis::kIcmpType, [&](const ValueClass& c) {
    const auto own = static_cast<std::uint8_t>(c.canonical);
    const std::uint8_t type = sender == FlowEnd::kInitiator ? own : icmp_partner(family, own);
    return icmp_class(family, type) == IcmpClass::kError;
  });
  const Set result =
      bdd().both(space.protocol_is(icmp), bdd().either(errors, redirects(space, sender)));
  if (!resets || !has_resets(program)) return result;
  const Set reset = space.class_set_if(Axis::kTcpFlags, [](const ValueClass& c) {
    return tcp_segment(static_cast<std::uint8_t>(c.canonical)) == TcpSegment::kRst;
  });
  return bdd().either(result, bdd().both(space.protocol_is(protocol::kTcp), reset));
}

bool Model::Impl::raw_heeds_entries() const {
  return std::ranges::any_of(program.rules(), [&](const ProgramRule& rule) {
    return program.chains()[rule.chain].table == TableName::kRaw && heeds_entries(rule);
  });
}

// Over kConnmarkBefore and kConnmark, for entries of flows on any path. A reset about a segment
// that was INVALID is looked up in OUTPUT like any packet, and finds the flow there: ESTABLISHED.
// It has the source of whom the segment was sent to, and comes back over lo to one who sent that
// here.
Set Model::Impl::marks_by_others() {
  if (marks_by_others_known) return *marks_by_others_known;
  Set relation = kNothing;
  const bool some = tracking && !space.layout(Axis::kConnmark).variables.empty() &&
                    std::ranges::any_of(program.rules(), writes_connmark);
  if (!some) return *(marks_by_others_known = relation);
  // Only the host's own replies have an entry in raw already: anything, there.
  if (raw_heeds_entries() || translations.some()) relation = kEverything;
  std::vector<Axis> rest;
  for (std::size_t i = 0; i < kAxisCount; ++i) {
    const auto axis = static_cast<Axis>(i);
    if (axis != Axis::kConnmark && axis != Axis::kConnmarkBefore) rest.push_back(axis);
  }
  const auto in = [&](CtState state) {
    return space.class_is(Axis::kState, static_cast<std::uint32_t>(state));
  };
  const Set errors = carriers(FlowEnd::kInitiator, false);
  const Set resets = bdd().minus(carriers(FlowEnd::kInitiator, true), errors);
  for (const Path path : {Path::kIn, Path::kOut, Path::kForward, Path::kLoopback}) {
    Set carried = bdd().both(in(CtState::kRelated), errors);
    const bool local = path == Path::kOut || path == Path::kLoopback;
    if (local) {
      const Set found = bdd().either(in(CtState::kRelated), in(CtState::kEstablished));
      carried = bdd().either(carried, bdd().both(found, resets));
    }
    WalkOptions how = walk_options();
    how.unrouted = local && !resets.empty() && space.classes().address_type.count() > 1;
    const PathWalk walk =
        walk_path(space, chains, program, path, FlowEnd::kInitiator, how, {}, carried);
    for (const Passage& passage : {walk.direct, walk.again}) {
      for (const Set fate : passage.fates)
        relation = bdd().either(relation, space.exists(fate, rest));
    }
  }
  return *(marks_by_others_known = relation);
}

}  // namespace postern
