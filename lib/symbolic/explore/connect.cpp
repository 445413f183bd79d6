#include "symbolic/explore/connect.hpp"

#include <algorithm>
#include <initializer_list>

#include "flow/odd_headers.hpp"
#include "symbolic/explore/model_impl.hpp"

namespace postern {
namespace {

constexpr std::array kNow{Axis::kConnmark};

// Classes of TCP flags in which one of the sets lies: a class is not told apart by any rule.
Set flags_like(Space& space, std::initializer_list<unsigned> sets) {
  return space.class_set_if(Axis::kTcpFlags, [&](const ValueClass& c) {
    return std::ranges::any_of(sets, [&](unsigned flags) { return c.holds(flags); });
  });
}

// Whole packets: honest ends do not hide ports in fragments or cut headers short.
Set whole(Space& space) {
  return space.bdd().both(space.may_be(Axis::kFragmentOffset, 0),
                          space.may_be(Axis::kTruncated, 0));
}

}  // namespace

std::vector<std::vector<Line>> conversations(Space& space) {
  using enum PacketKind;
  using namespace tcp_flag;
  constexpr FlowEnd kOne = FlowEnd::kInitiator, kOther = FlowEnd::kResponder;
  const Set syn = flags_like(space, {kSyn, kSyn | kEce | kCwr});
  const Set syn_ack = flags_like(space, {kSyn | kAck, kSyn | kAck | kEce});
  const Set ack = flags_like(space, {kAck}), data = flags_like(space, {kAck, kPsh | kAck});
  std::vector<std::vector<Line>> result;
  result.push_back({{kOne, kTcpSyn, syn},
                    {kOther, kTcpSynAck, syn_ack},
                    {kOne, kTcpAck, ack},
                    {kOne, kTcpAck, data},
                    {kOther, kTcpAck, data}});
  // The handshake of RFC 9260, then DATA.
  result.push_back({{kOne, kSctpInit, kEverything},
                    {kOther, kSctpInitAck, kEverything},
                    {kOne, kSctpCookieEcho, kEverything},
                    {kOther, kSctpCookieAck, kEverything},
                    {kOne, kSctp, kEverything},
                    {kOther, kSctp, kEverything}});
  result.push_back({{kOne, kIcmpRequest, kEverything}, {kOther, kIcmpReply, kEverything}});
  for (const PacketKind kind : {kDatagram, kUdplite, kIcmpOther, kIcmpUntracked, kGre, kGeneric}) {
    result.push_back({{kOne, kind, kEverything}, {kOther, kind, kEverything}});
  }
  if (space.classes().family ==
      Family::kIpv6) {  // of what is broken, the ends may mean these alone
    const Set none =
        space.protocols([](std::uint8_t p) { return p == kNoNextHeader || p == protocol::kAh; });
    result.push_back({{kOne, kBroken, none}, {kOther, kBroken, none}});
  }
  result.push_back({{kOne, kGre, kEverything}, {kOther, kGre, kEverything, std::nullopt, true}});
  const Set sane = whole(space);
  for (auto& lines : result) {
    for (Line& line : lines) line.packets = space.bdd().both(line.packets, sane);
  }
  return result;
}

bool apart(const std::vector<Line>& lines) { return std::ranges::any_of(lines, &Line::apart); }

std::vector<Edge> Conversation::edges(const FlowState& from, std::size_t k) {
  const Line& line = lines_[k];
  std::vector<Edge> result;
  for (Edge edge : explorer_.edges({from.entry, true, from.nat})) {
    if (edge.sender != line.sender || !edge.ordinary) continue;
    if (edge.translated && edge.sender == FlowEnd::kInitiator) continue;
    if (edge.what.kind && *edge.what.kind != line.kind) continue;
    const bool through = edge.what.fate == Fate::kDelivered || edge.what.fate == Fate::kUnmodelled;
    if (!through && !edge.open) continue;
    const CtState seen = edge.what.sight.state;
    const bool by_entry = seen == CtState::kNew || seen == CtState::kEstablished;
    if (line.read_in && (!by_entry || edge.pair != *line.read_in)) continue;
    edge.what.kind = line.kind;
    if (honest_ && k != 0) edge.heard = explorer_.heard(from, edge);
    if (!edge.heard.empty()) result.push_back(edge);
  }
  return result;
}

Set Conversation::allowed(const Edge& edge, std::size_t k) {
  Bdd& bdd = space_.bdd();
  const Set honest = bdd.both(lines_[k].packets, edge.heard);
  if (k != 0) return honest;
  const Set first = bdd.both(first_, honest);
  return arrival_ == nullptr ? first : bdd.both(first, arrival_->of(edge).must);
}

Set Conversation::only(const Edge& edge, std::size_t k, Set flows) {
  Bdd& bdd = space_.bdd();
  const Line& line = lines_[k];
  const Set allowed = this->allowed(edge, k);
  if (allowed == kEverything) return allowed;
  Guards& guards = explorer_.guards(edge);
  const Set of_kind = bdd.both(bdd.both(guards.walk().start, guards.kind_set(line.kind)),
                               space_.exists(flows, kNow));
  return bdd.subset(of_kind, allowed) ? kEverything : allowed;
}

// Flows whose first packet arrives, but perhaps elsewhere than asked for.
void Conversation::note_unsure(const Edge& edge, Set flows) {
  Bdd& bdd = space_.bdd();
  if (arrival_ == nullptr) return;
  const MayMust arrives = arrival_->of(edge);
  const Set unsure = bdd.minus(arrives.may, arrives.must);
  if (unsure.empty()) return;
  const Set first = bdd.both(bdd.both(first_, lines_[0].packets), unsure);
  const Set there = explorer_.image_of(flows, edge, first);
  unmodelled_ = bdd.either(unmodelled_, space_.exists(there, kNow));
}

// Flows whose line may come in pieces, and is heard so alone.
Set Conversation::put_together(Guards& guards, std::size_t k) {
  Bdd& bdd = space_.bdd();
  const Set joined = guards.walk().joined;
  if (joined.empty()) return kNothing;
  Set said = bdd.both(lines_[k].packets, guards.kind_set(lines_[k].kind));
  if (k == 0) said = bdd.both(said, first_);
  return space_.exists(bdd.both(said, joined), packet_axes());
}

Frontier Conversation::next(const Frontier& from, std::size_t k) {
  Bdd& bdd = space_.bdd();
  Frontier result;
  for (const auto& [state, flows] : from) {
    Guards& guards = explorer_.guards(lines_[k].sender, state.nat);
    const Set open = bdd.either(guards.unmodelled_early(), put_together(guards, k));
    unmodelled_ = bdd.either(unmodelled_, bdd.both(space_.exists(flows, kNow), open));
    for (const Edge& edge : edges(state, k)) {
      if (k == 0) note_unsure(edge, flows);
      const Set packets = only(edge, k, flows);
      const Set image = packets == kEverything ? explorer_.image(flows, edge)
                                               : explorer_.image_of(flows, edge, packets);
      if (image.empty()) continue;
      if (edge.what.fate == Fate::kUnmodelled || edge.coarse) {
        unmodelled_ = bdd.either(unmodelled_, space_.exists(image, kNow));
        continue;
      }
      const bool alone = k + 1 < lines_.size() && lines_[k + 1].apart;
      const FlowState to = alone ? FlowState{0, true} : FlowState{edge.to.entry, true, edge.to.nat};
      Set& place = result[to];
      place = bdd.either(place, alone ? explorer_.begin(space_.exists(image, kNow)) : image);
    }
  }
  return result;
}

Set Conversation::play(Set flows) {
  Bdd& bdd = space_.bdd();
  // A protocol that the flows do not have costs nothing.
  const Set of_kind =
      space_.exists(explorer_.guards(FlowEnd::kInitiator).kind_set(lines_[0].kind), packet_axes());
  const Set start = explorer_.begin(bdd.both(flows, of_kind));
  layers_ = {{{FlowState{0, true}, start}}};
  if (start.empty()) return kNothing;
  for (std::size_t k = 0; k < lines_.size(); ++k) layers_.push_back(next(layers_.back(), k));
  unmodelled_ = bdd.both(unmodelled_, flows);
  Set through = kNothing;
  for (const auto& [state, set] : layers_.back()) {
    through = bdd.either(through, space_.exists(set, kNow));
  }
  return through;
}

Set Conversation::bound_as(std::uint16_t nat) {
  std::erase_if(layers_.back(), [&](const auto& reached) { return reached.first.nat != nat; });
  Set through = kNothing;
  for (const auto& [state, set] : layers_.back()) {
    through = space_.bdd().either(through, space_.exists(set, kNow));
  }
  return through;
}

ConnectAnswer Model::Impl::connect(Path path, Set m, const PredicatePtr& to) {
  ConnectAnswer answer{};
  const Arrival asked = arrival(path, to);
  const Set all_flows = flows_of(m), beyond_us = flows_of(beyond(path, m));
  const Set flows = bdd().minus(all_flows, beyond_us);
  answer.flows.unmodelled = beyond_us;
  Set calls = kNothing;
  for (const bool must : {false, true}) {
    Explorer explorer_of_path = explorer(path, all_flows, Script::kDeliver, must, true);
    explorer_of_path.expect(expected(path, must));
    for (auto& lines : conversations(space)) {
      const bool open = apart(lines);
      if (open && must) continue;
      Conversation talk(space, explorer_of_path, std::move(lines), m, &asked);
      talk.between_honest_ends();
      Set& place = open ? calls : must ? answer.flows.must : answer.flows.may;
      place = bdd().either(place, talk.play(flows));
      if (!must) answer.flows.unmodelled = bdd().either(answer.flows.unmodelled, talk.unmodelled());
    }
  }
  answer.flows.unmodelled =
      bdd().either(answer.flows.unmodelled, bdd().minus(calls, answer.flows.may));
  // (One that went before, between other ports of the two.)
  const Set shared = connected_by_sharers(path, m, asked);
  answer.flows.unmodelled =
      bdd().either(answer.flows.unmodelled, bdd().minus(shared, answer.flows.may));
  std::vector<Set> none;
  // In order, an answer of a flow to itself is an answer: TCP's own open is left out by assumption.
  Set to_itself =
      bdd().both(answer.flows.may, bdd().either(own_tuple(path), answered_over_lo(path)));
  const Set in_zones = bdd().minus(one_tuple_in_zones(path, all_flows), answer.flows.may);
  take_out(to_itself, answer.flows, none, none);
  to_itself = bdd().either(to_itself, in_zones);
  // NAT may part the two directions of a flow that had one tuple.
  if (translations.some()) {
    const Set portless = space.protocols([](std::uint8_t p) { return !has_ports(tracker_of(p)); });
    const Set own = bdd().both(bdd().both(all_flows, may_be_own_tuple(path)), portless);
    to_itself = bdd().either(to_itself, bdd().minus(own, answer.flows.may));
  }
  answer.to_itself = bdd().minus(to_itself, answer.flows.unmodelled);
  answer.flows.unmodelled = bdd().either(answer.flows.unmodelled, to_itself);
  route(path, answer.flows, none, none);
  return answer;
}

}  // namespace postern
