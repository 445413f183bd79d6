#include "symbolic/proof/certificate_context.hpp"

#include <algorithm>
#include <array>

#include "net/protocol.hpp"
#include "symbolic/entries/kinds.hpp"

namespace postern {
namespace {

// Every flow that the claim speaks of.
Set claimed_flows(Space& space, const Claim& claim) {
  return claim.goal == Claim::Goal::kDeliver ? space.exists(claim.impossible, packet_axes())
                                             : claim.impossible;
}

bool leads_errors(const Model& model, const Claim& claim) {
  return claim.related.contains(model.translations().number_of_errors(claim.path));
}

// What NAT leads on sets out though routing takes its own destination elsewhere.
Set sent_by_initiator(Model& model, const Claim& claim) {
  const Set all = take(model.sendable(claim.path, false));
  if (!leads_errors(model, claim)) return all;
  return model.space().bdd().either(all, take(model.errors_to_openers(claim.path)));
}

Set points(Space& space, Set flows, Set initiator, Set responder) {
  return space.bdd().both(flows, space.bdd().either(initiator, responder));
}

}  // namespace

CertificateContext::CertificateContext(Model& model_, const Program& program, Solver& solver_,
                                       const Claim& claim, const CertificateOptions& options)
    : lose_turned(claim.goal != Claim::Goal::kTrack),
      model(model_),
      space(model_.space()),
      solver(solver_),
      conntrack(options.conntrack),
      tracking(model_.tracking()),
      flow_path(claim.path),
      backend(program.ruleset().backend),
      flows(claimed_flows(space, claim)),
      encoder(solver_, program, space.classes().interface_names, options.rule_budget),
      sendable_{sent_by_initiator(model_, claim), take(model_.sendable(claim.path, true))},
      axes_(space, solver_, encoder,
            points(space, flows, sendable_.initiator,
                   space.bdd().either(sendable_.responder,
                                      model_.moves_destination(claim.path)
                                          ? take(model_.sendable_translated(claim.path))
                                          : kNothing))),
      translator(space, solver_, axes_),
      deadline_(std::chrono::steady_clock::now() + options.limit) {
  if (tracking && space.classes().zones.some()) encoder.follow(space.classes().zones);
  const auto bound = [](const auto& errors) { return errors.first != 0; };
  meets_nat = !take(model.under_nat(claim.path, flows)).empty() ||
              std::ranges::any_of(claim.related, bound);
  if (meets_nat) variants_ = model.translations().variants(claim.path);
  strays = take(model.strays(claim.path, flows));
  expected = take(model.expected(claim.path));
  if (model.automaton().pairs() > 1) several_zones = flows;
  if (tracking && claim.path == Path::kLoopback && model.translations().some() &&
      model.automaton().pairs() > 1) {
    zones_ = take(model.zones(claim.path, flows));
    several_zones = in_several();
  }
  if (model.moves_destination(claim.path) || leads_errors(model, claim)) {
    routed_ = take(model.routed(claim.path));
    answers_ = take(model.sendable_translated(claim.path));
  }
  for (const FlowEnd sender : {FlowEnd::kInitiator, FlowEnd::kResponder}) {
    find_kinds(sender);
  }
}

// Flows that may come in two pairs, or in one that tells the directions apart.
Set CertificateContext::in_several() {
  Bdd& bdd = space.bdd();
  const auto& pairs = model.automaton().zones().pairs();
  Set result = kNothing;
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    if (pairs[k].original != pairs[k].reply) result = bdd.either(result, zones_.in[k]);
    for (std::size_t other = 0; other < k; ++other) {
      result = bdd.either(result, bdd.both(zones_.in[k], zones_.in[other]));
    }
  }
  return bdd.both(flows, result);
}

// Any packet of such a flow comes only in the pairs in which the sets say that it may.
void CertificateContext::one_zone() {
  const Set one = space.bdd().minus(flows, several_zones);
  if (zones_.in.empty() || one.empty()) return;
  for (const FlowEnd sender : {FlowEnd::kInitiator, FlowEnd::kResponder}) {
    for (std::uint16_t bound = 0; bound <= variants_.size(); ++bound) {
      const Term may = premise(one, sender, Solver::kTrue, bound);
      if (may == Solver::kFalse) continue;
      const PathEncoder::Early& early = path(sender, bound).early();
      comes_in(early, solver.both(may, early.live));
      if (bound != 0) continue;
      const PathEncoder::Early& again = path(sender).again();
      const std::array parts{may, early.live, again.live};
      comes_in(again, solver.all(parts));
    }
  }
}

void CertificateContext::comes_in(const PathEncoder::Early& early, Term premise) {
  for (std::uint8_t pair = 0; pair < early.zones.size(); ++pair) {
    const std::array parts{premise, solver.negate(early.untracked), early.zones[pair],
                           solver.negate(translator.term(zones_.in[pair]))};
    violation(solver.all(parts), "a packet comes in another zone than those of its flow");
  }
}

Seen CertificateContext::announced(const AbstractStep& created, const AbstractEntry& before) const {
  Seen seen = Seen::of(postern::announced(created), before);
  seen.marked = expected.marked;
  return seen;
}

std::vector<std::pair<std::uint16_t, Set>> CertificateContext::announced_as(
    FlowEnd sender, std::uint8_t pair) const {
  std::vector<std::pair<std::uint16_t, Set>> result;
  const ExpectedInZone& here_expected = expected.in(space.classes().zones.pairs()[pair].id());
  const Set by_rules = space.bdd().both(flows, here_expected.by(sender));
  if (!by_rules.empty()) result.emplace_back(std::uint16_t{0}, by_rules);
  for (std::size_t i = 0; i < variants_.size(); ++i) {
    if (variants_[i].originator != sender) continue;
    const auto nat = static_cast<std::uint16_t>(i + 1);
    const Set here = variants_[i].follows_master()
                         ? space.bdd().both(flows, here_expected.following(nat))
                         : by_rules;
    if (!here.empty()) result.emplace_back(nat, here);
  }
  return result;
}

PathEncoder& CertificateContext::path(FlowEnd sender, std::uint16_t bound) {
  auto& place = paths_[{sender, bound}];
  if (place == nullptr) {
    place = std::make_unique<PathEncoder>(space, solver, encoder, axes_, flow_path, sender, backend,
                                          tracking, view(bound, sender, translator));
  }
  return *place;
}

NatView CertificateContext::view(std::uint16_t bound, FlowEnd sender, SetTranslator& terms) {
  NatView result;
  // A flow that no binding meets may still be led elsewhere, or nowhere.
  if (model.translations().some()) result.translations = &model.translations();
  result.lose_turned = lose_turned && result.translations != nullptr;
  if (bound != 0)
    result.bound =
        bound > variants_.size() ? result.translations->of_errors() : variants_[bound - 1];
  const std::uint8_t to = result.bound.destination;
  const bool kept =
      sender == FlowEnd::kInitiator && (to == 0 || model.translations().range(to).keeps_address);
  if (kept && routed_ != kEverything) result.routed = terms.term(routed_);
  return result;
}

Set CertificateContext::sendable_under(FlowEnd sender, std::uint16_t bound) const {
  const bool replaced =
      sender == FlowEnd::kResponder && bound != 0 && variants_[bound - 1].destination != 0;
  return replaced ? answers_ : sendable(sender);
}

std::optional<std::uint16_t> CertificateContext::standing(Automaton::Parts beside,
                                                          std::uint8_t pair,
                                                          const AbstractEntry& entry) const {
  const auto number = model.entry_index(entry);
  if (!number) return std::nullopt;
  beside[pair] = *number;
  return model.automaton().find(beside);
}

std::vector<AbstractStep> CertificateContext::ways(const AbstractEntry& entry, FlowEnd sender,
                                                   PacketKind kind) const {
  // In one ICMP flow one end sends the requests, and the other the replies.
  const bool request = kind == PacketKind::kIcmpRequest;
  const bool query = request || kind == PacketKind::kIcmpReply;
  if (query && entry.present && request != (sender == entry.originator)) return {};
  std::vector<AbstractStep> steps = successors(entry, sender, kind, conntrack);
  std::erase_if(steps, [&](const AbstractStep& s) {
    return (s.condition == Condition::kBroken && !wrong_checksums_count(flow_path)) ||
           (s.condition == Condition::kWrongLength && !wrong_lengths_count(flow_path, sender));
  });
  if (kind == PacketKind::kUdplite) {
    std::erase_if(steps, [&](const AbstractStep& s) {
      return (s.condition == Condition::kUnlooked) != local(sender);
    });
  }
  return steps;
}

Term CertificateContext::kind_condition(PacketKind kind, FlowEnd sender, const AxisTerms& axes) {
  const Family family = space.classes().family;
  const auto values = [&](Axis axis, auto&& test) {
    std::vector<Term> parts;
    for (unsigned first = 0; first < 256; ++first) {
      if (!test(static_cast<std::uint8_t>(first))) continue;
      unsigned last = first;
      while (last < 255 && test(static_cast<std::uint8_t>(last + 1))) ++last;
      parts.push_back(encoder.in_range(axes.value(axis), first, last));
      first = last;
    }
    return solver.any(parts);
  };
  const std::uint8_t icmp = family == Family::kIpv4 ? protocol::kIcmp : protocol::kIcmpv6;
  const auto protocol_is = [&](std::uint8_t number) {
    return values(Axis::kProtocol, [number](std::uint8_t p) { return p == number; });
  };
  const Term tcp = values(Axis::kTcpFlags, [&](std::uint8_t flags) {
    return packet_kind(family, protocol::kTcp, flags, 0) == kind;
  });
  const Term types = values(Axis::kIcmpType, [&](std::uint8_t type) {
    const bool own = sender == FlowEnd::kInitiator;
    return packet_kind(family, icmp, 0, own ? type : icmp_partner(family, type)) == kind;
  });
  const Term others = values(Axis::kProtocol, [&](std::uint8_t p) {
    return p != protocol::kTcp && p != icmp && may_be(kind, family, p);
  });
  const auto some = [&](Axis axis) {
    return solver.negate(encoder.in_range(axes.value(axis), 0, 0));
  };
  const Term cut =
      solver.either(solver.both(values(Axis::kProtocol, invalid_if_cut), some(Axis::kTruncated)),
                    some(Axis::kFragmentOffset));
  if (kind == PacketKind::kCut) return solver.named(cut, text(kind));
  const std::array all{solver.both(protocol_is(protocol::kTcp), tcp),
                       solver.both(protocol_is(icmp), types), others};
  return solver.named(solver.both(solver.any(all), solver.negate(cut)), text(kind));
}

void CertificateContext::find_kinds(FlowEnd sender) {
  auto& list = kinds_[sender == FlowEnd::kInitiator ? 0 : 1];
  for (std::size_t k = 0; k < kPacketKindCount; ++k) {
    const auto kind = static_cast<PacketKind>(k);
    const Term condition = kind_condition(kind, sender, axes_);
    if (condition != Solver::kFalse) list.emplace_back(kind, condition);
  }
}

const std::vector<std::pair<PacketKind, Term>>& CertificateContext::kinds(FlowEnd sender) {
  return kinds_[sender == FlowEnd::kInitiator ? 0 : 1];
}

Term CertificateContext::premise(Set of, FlowEnd sender, Term kind, std::uint16_t bound) {
  const std::array parts{translator.term(of), translator.term(sendable_under(sender, bound)), kind};
  return solver.all(parts);
}

void CertificateContext::violation(Term condition, std::string name) {
  if (condition != Solver::kFalse) violations_.try_emplace(condition.id, std::move(name));
}

CheckResult CertificateContext::check(Term condition) {
  ++checked_;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline_ - std::chrono::steady_clock::now());
  const std::array assumptions{condition};
  return solver.check(assumptions, left);
}

CertificateResult CertificateContext::check_violations() {
  std::vector<Term> all;
  for (const auto& [id, name] : violations_) all.push_back(Term{id});
  switch (check(solver.any(all))) {
    case CheckResult::kUnsatisfiable:
      return {Verification::kProved, "", all.size()};
    case CheckResult::kUnknown:
      return {Verification::kNotChecked, "Z3 gave up or ran out of its time", all.size()};
    case CheckResult::kSatisfiable:
      break;
  }
  for (const auto& [id, name] : violations_) {
    if (check(Term{id}) == CheckResult::kSatisfiable) {
      return {Verification::kRefuted, name, all.size()};
    }
  }
  return {Verification::kRefuted, "an obligation that cannot be named", all.size()};
}

}  // namespace postern
