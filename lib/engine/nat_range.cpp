// Sources: xt_nat, xt_MASQUERADE, xt_REDIRECT, xt_NETMAP, nf_nat_redirect_ipv4/6; kernel-facts 54.
#include "engine/nat_range.hpp"

namespace postern {
namespace {

constexpr u128 kLoopback4 = 0x7f000001, kLoopback6 = 1;

NatRange exactly(u128 address) {
  NatRange range;
  range.addresses = NatRange::Addresses{address, address};
  return range;
}

std::optional<NatRange> onto(const std::optional<Address>& address) {
  if (!address) return std::nullopt;
  return exactly(address->value);
}

std::optional<NatRange> redirect(Hook hook, const Traveller& packet, const World& world) {
  const Family family = packet.view.family;
  if (hook == Hook::kOutput) return exactly(family == Family::kIpv4 ? kLoopback4 : kLoopback6);
  return onto(world.primary_address(packet.in, family));
}

std::optional<NatRange> masquerade(const Traveller& packet, const World& world) {
  // A source that is not set yet (DHCP) stays as it is.
  if (packet.view.family == Family::kIpv4 && packet.attachment.entry->original.source == 0) {
    return null_range(*packet.attachment.entry, Manip::kSource);
  }
  return onto(world.masquerade_address(packet.view.destination_address(), packet.out));
}

NatRange netmap(const Prefix& network, Manip manip, const PacketView& view) {
  const u128 old = manip == Manip::kDestination ? view.destination : view.source;
  return exactly((old & ~network.mask & low_bits(address_bits(view.family))) |
                 (network.address.value & network.mask));
}

std::optional<NatRange> addresses_of(const Nat& target, Hook hook, const Traveller& packet,
                                     const World& world) {
  switch (target.kind) {
    case Nat::Kind::kRedirect:
      return redirect(hook, packet, world);
    case Nat::Kind::kMasquerade:
      return masquerade(packet, world);
    case Nat::Kind::kNetmap:
      return netmap(*target.network, manip_of(hook), packet.view);
    case Nat::Kind::kSource:
    case Nat::Kind::kDestination:
      break;
  }
  NatRange range;
  if (target.low) range.addresses = NatRange::Addresses{target.low->value, target.high->value};
  return range;
}

}  // namespace

std::optional<NatRange> nat_range(const Nat& target, Hook hook, const Traveller& packet,
                                  const World& world) {
  auto range = addresses_of(target, hook, packet, world);
  if (!range) return std::nullopt;
  if (target.port_low != 0 || target.port_high != 0) {
    range->ports = NatRange::Ports{target.port_low, target.port_high};
  }
  if (target.port_base != 0) range->base = target.port_base;
  range->random = target.random;
  range->persistent = target.persistent;
  return range;
}

NatRange null_range(const ConntrackEntry& entry, Manip manip) {
  return exactly(manip == Manip::kSource ? entry.reply.destination : entry.reply.source);
}

}  // namespace postern
