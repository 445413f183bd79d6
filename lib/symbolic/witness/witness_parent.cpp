#include "symbolic/witness/witness_parent.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.hpp"
#include "net/protocol.hpp"
#include "symbolic/witness/witness_world.hpp"

namespace postern {
namespace {

// The end of the quoted flow that the error goes to is one address with the error's destination.
void share_end(FlowPoint& parent, const FlowPoint& error, bool opened) {
  const Axis own = opened ? Axis::kInitiator : Axis::kResponder;
  const Axis other = opened ? Axis::kResponder : Axis::kInitiator;
  const u128 before = parent.value(own);
  parent.values[own] = error.value(Axis::kResponder);
  // Both were of one class then, and keep two addresses.
  if (parent.value(other) == parent.value(own)) parent.values[other] = before;
}

// Flows of another path than the error's, which nobody needs who has the error's source: an address
// is this host's or another's, not both. All of them, where there is no choice.
Set of_others(Space& space, Set flows, const FlowPoint& error) {
  const std::uint32_t source = error.classes.at(Axis::kInitiator);
  const Set others = space.bdd().minus(flows, space.class_is(Axis::kResponder, source));
  return others.empty() ? flows : others;
}

// The far end of the quoted flow is not whoever sends the error. False: there is no other address.
bool part_ends(Space& space, FlowPoint& parent, const FlowPoint& error) {
  const u128 source = error.value(Axis::kInitiator);
  if (parent.value(Axis::kResponder) != source) return true;
  const auto& classes = space.layout(Axis::kResponder).classes->classes;
  const ValueClass& of = classes[parent.classes.at(Axis::kResponder)];
  const u128 other = other_value(of, {}, source, 1);
  if (other == parent.value(Axis::kInitiator)) return false;
  parent.values[Axis::kResponder] = other;
  return other != source;
}

}  // namespace

std::shared_ptr<const Packet> quoted_packet(const Witness& parent, bool opened) {
  POSTERN_CHECK(!parent.packets.empty(), "a parent has packets");
  const Packet& first = parent.packets.front().packet;
  if (opened) {
    Packet itself = first;
    itself.in.clear();
    return std::make_shared<const Packet>(std::move(itself));
  }
  Packet answer;
  answer.source = first.destination;
  answer.destination = first.source;
  answer.protocol = first.protocol;
  answer.source_port = first.destination_port;
  answer.destination_port = first.source_port;
  answer.verification_tag = first.verification_tag;
  answer.gre_key = first.gre_key;
  if (first.protocol == protocol::kTcp) answer.flags = tcp_flag::kSyn | tcp_flag::kAck;
  if (first.protocol == protocol::kIcmp || first.protocol == protocol::kIcmpv6) {
    answer.type = icmp_partner(first.family(), first.type);
    answer.icmp_id = first.icmp_id;
    answer.icmp_seq = first.icmp_seq;
  }
  return std::make_shared<const Packet>(std::move(answer));
}

Witness behind_parent(const Witness& parent, Witness error) {
  Witness both = parent;
  for (WitnessPacket& packet : both.packets) packet.quoted = true;
  std::ranges::move(error.packets, std::back_inserter(both.packets));
  add_world(error.world, both.world);
  if (!both.translated_to) both.translated_to = error.translated_to;
  if (!both.obstacle) both.obstacle = std::move(error.obstacle);
  return both;
}

Witness with_parent(Model& model, Path path, const FlowPoint& flow,
                    const std::vector<FlowStep>& steps, bool must) {
  Space& space = model.space();
  const auto build = [&](Path on, const FlowPoint& of, const std::vector<FlowStep>& its,
                         const std::shared_ptr<const Packet>& quoted) {
    return build_witness(space, model.entries(), on, of, its, &model.translations(), quoted);
  };
  if (steps.empty() || !steps.back().quotes) return build(path, flow, steps, nullptr);
  const QuotedEntry entry{steps.back().nat, steps.back().quoted_mark, steps.back().zone};
  const Quotable parents = take(model.quotable(path, flow_set(space, flow), entry, must));
  if (parents.flows.empty()) return build(path, flow, steps, nullptr);
  const bool same_path = parents.path == path;
  const Set flows = same_path ? parents.flows : of_others(space, parents.flows, flow);
  FlowPoint parent = choose_flow(space, flows, parents.path);
  share_end(parent, flow, parents.opened);
  const bool apart = same_path || part_ends(space, parent, flow);
  const Set one = space.bdd().both(parents.flows, flow_set(space, parent));
  const FlowEnd end = parents.opened ? FlowEnd::kInitiator : FlowEnd::kResponder;
  Witness first = build(parents.path, parent,
                        take(model.entry_steps(parents.path, one, entry, end, must)), nullptr);
  if (!apart) first.obstacle = "one address would have to be this host's and another's";
  return behind_parent(first, build(path, flow, steps, quoted_packet(first, parents.opened)));
}

}  // namespace postern
