#include "symbolic/witness/witness_led.hpp"

#include <algorithm>

#include "net/protocol.hpp"
#include "symbolic/witness/witness_parent.hpp"
#include "symbolic/witness/witness_world.hpp"

namespace postern {
namespace {

// Openers that are tried for each way of NAT: rules may let errors through to some only.
constexpr int kOpeners = 6;

// The class of an address, which other addresses may share.
Set class_of(Space& space, Axis axis, u128 value) {
  const auto at = space.layout(axis).classes->of(value);
  return at ? space.class_is(axis, *at) : kNothing;
}

// Has some host such an address on a wire?
bool plain(const Address& address) {
  if (address.family == Family::kIpv6) return address.value > 1 && (address.value >> 120) != 0xff;
  const auto net = static_cast<unsigned>(address.value >> 24);
  return net != 0 && net != 127 && net < 224;
}

class ParentFinder {
 public:
  ParentFinder(Model& model, Path path, Set errors)
      : model_(model), space_(model.space()), bdd_(space_.bdd()), path_(path), errors_(errors) {}

  std::vector<LedParent> run() {
    const Translations& all = model_.translations();
    for (const Path own : {path_, Path::kIn}) {
      const auto variants = all.variants(own);
      for (std::size_t i = 0; i < variants.size(); ++i) {
        const NatVariant& nat = variants[i];
        const bool bound = nat.originator == FlowEnd::kInitiator && !nat.follows_master() &&
                           nat.source != 0 && nat.source != all.clash();
        if (bound) find(own, static_cast<std::uint16_t>(i + 1), all.range(nat.source));
      }
    }
    return std::move(found_);
  }

 private:
  // Addresses that this host has, as far as types tell.
  Set local() {
    if (space_.classes().address_type.count() == 1) return kEverything;
    const auto type = static_cast<u128>(AddressType::kLocal);
    return space_.values(Axis::kResponderType, type, type);
  }

  void find(Path own, std::uint16_t nat, const EndRange& range) {
    if (range.keeps_address) return;
    const bool masquerades = !range.address;
    Set errors = bdd_.both(errors_, masquerades ? local() : kEverything);
    if (range.address) {
      errors = bdd_.both(
          errors, space_.may_be(Axis::kResponder, range.address->first, range.address->second));
    }
    if (errors.empty()) return;
    FlowPoint error = choose_flow(space_, errors, path_);
    if (masquerades) prefer_host(errors, error);
    if (!plain({error.family, error.value(Axis::kResponder)})) return;
    const QuotedEntry entry{.nat = nat};
    Set flows = take(model_.openers(own, flow_set(space_, error), entry)).flows;
    for (int k = 0; k < kOpeners && !flows.empty(); ++k) {
      LedParent parent{own, errors, choose_flow(space_, flows, own), {}};
      keep_apart(parent.flow, error);
      const std::uint32_t opener = parent.flow.classes.at(Axis::kInitiator);
      const Set one = bdd_.both(flows, flow_set(space_, parent.flow));
      parent.witness =
          build_witness(space_, model_.entries(), own, parent.flow,
                        take(model_.entry_steps(own, one, entry, FlowEnd::kInitiator, false)),
                        &model_.translations());
      give_address(parent, error, masquerades);
      if (!parent.witness.obstacle) found_.push_back(std::move(parent));
      flows = bdd_.minus(flows, space_.class_is(Axis::kInitiator, opener));
    }
  }

  // To a host's own documentation address, where there is a choice.
  void prefer_host(Set errors, FlowPoint& error) {
    for (const u128 value : documentation(space_.classes().family).host) {
      const Set here = bdd_.both(errors, class_of(space_, Axis::kResponder, value));
      if (here.empty()) continue;
      error = choose_flow(space_, here, path_);
      error.values[Axis::kResponder] = value;
      return;
    }
  }

  // No end of the flow is what NAT makes of its opener, where there is a choice.
  void keep_apart(FlowPoint& parent, const FlowPoint& error) {
    const DocumentationAddresses all = documentation(space_.classes().family);
    const u128 to = error.value(Axis::kResponder);
    for (const Axis axis : {Axis::kInitiator, Axis::kResponder}) {
      const Axis other = axis == Axis::kInitiator ? Axis::kResponder : Axis::kInitiator;
      if (parent.value(axis) != to) continue;
      const ValueClass& own = space_.layout(axis).classes->classes[parent.classes[axis]];
      for (const u128 value : axis == Axis::kInitiator ? all.near : all.far) {
        const bool free = value != to && value != parent.value(other);
        if (free && choose_value(own, {value}) == value) parent.values[axis] = value;
      }
    }
  }

  // MASQUERADE takes the first address of the device by which the flow leaves.
  void give_address(LedParent& parent, const FlowPoint& error, bool masquerades) {
    const Address to{error.family, error.value(Axis::kResponder)};
    if (masquerades) {
      give_first_address(to, parent.flow.responder_interface, parent.witness.world);
      return;
    }
    const auto type = error.classes.find(Axis::kResponderType);
    const auto& types = space_.layout(Axis::kResponderType).classes->classes;
    const bool here = types.size() > 1 && type != error.classes.end() &&
                      types[type->second].canonical == static_cast<u128>(AddressType::kLocal);
    if (here) give_first_address(to, error.initiator_interface, parent.witness.world);
  }

  Model& model_;
  Space& space_;
  Bdd& bdd_;
  Path path_;
  Set errors_;
  std::vector<LedParent> found_;
};

// The flow's first packet as NAT lets it go.
std::shared_ptr<const Packet> as_it_left(const Packet& first, const TupleReport& reply) {
  Packet left = first;
  left.in.clear();
  left.source = reply.destination;
  left.destination = reply.source;
  if (has_ports(tracker_of(first.protocol))) {
    left.source_port = reply.destination_port.value_or(first.source_port);
    left.destination_port = reply.source_port.value_or(first.destination_port);
  }
  left.icmp_id = reply.icmp_id.value_or(first.icmp_id);
  return std::make_shared<const Packet>(std::move(left));
}

FlowStep step_of(Set packets) {
  FlowStep step;
  step.after.reached = true;
  step.quotes = step.accepted = true;
  step.state = CtState::kRelated;
  step.kind = PacketKind::kIcmpOther;
  step.packets = packets;
  return step;
}

}  // namespace

std::vector<LedParent> led_parents(Model& model, Path path, Set errors) {
  return ParentFinder(model, path, errors).run();
}

std::optional<LedError> led_error(Model& model, Path path, const LedParent& parent,
                                  const EntryReport& entry) {
  Space& space = model.space();
  Bdd& bdd = space.bdd();
  const u128 to = entry.reply.destination.value, from = entry.reply.source.value;
  Set errors = bdd.both(parent.errors, class_of(space, Axis::kResponder, to));
  // They go to where the flow came from, and by the interface that it left by where they may.
  const auto by = [&](Axis axis, const std::string& name) {
    const auto& names = space.classes().interface_names;
    const auto at = std::ranges::find(names, name);
    return at == names.end() ? kNothing
                             : space.class_is(axis, static_cast<std::uint32_t>(at - names.begin()));
  };
  errors = bdd.both(errors, by(Axis::kResponderInterface, parent.flow.initiator_interface));
  if (errors.empty()) return std::nullopt;
  const Set back = by(Axis::kInitiatorInterface, parent.flow.responder_interface);
  const Set answer = bdd.both(bdd.both(errors, back), class_of(space, Axis::kInitiator, from));
  LedError result;
  result.flow = choose_flow(space, answer.empty() ? errors : answer, path);
  result.flow.values[Axis::kResponder] = to;
  if (!answer.empty()) result.flow.values[Axis::kInitiator] = from;
  const Set one = bdd.both(errors, flow_set(space, result.flow));
  Witness error = build_witness(space, model.entries(), path, result.flow, {step_of(one)}, nullptr,
                                as_it_left(parent.witness.packets.front().packet, entry.reply));
  // NAT leads it on before it is routed.
  std::erase_if(error.world.routes,
                [&](const Route& route) { return route.to.address == entry.reply.destination; });
  error.translated_to = entry.original.source;
  Witness both = behind_parent(parent.witness, std::move(error));
  both.translated_to = entry.original.source;
  result.witness = std::move(both);
  return result;
}

}  // namespace postern
