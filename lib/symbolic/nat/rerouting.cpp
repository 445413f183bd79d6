#include "symbolic/nat/rerouting.hpp"

namespace postern {

SeenDevice seen_device(Hook hook, Path flow_path, FlowEnd sender, const NatVariant& nat,
                       const Translations& translations) {
  if (!nat.some() || flow_path == Path::kForward) return SeenDevice::kOfFlow;
  const auto replaces = [&](std::uint8_t range) {
    return range != 0 && !translations.range(range).keeps_address;
  };
  const bool opens = sender == nat.originator;
  const bool to_replaced = replaces(nat.destination), from_replaced = replaces(nat.source);
  if (flow_path == Path::kLoopback) {
    if (hook != Hook::kOutput) return SeenDevice::kLoopback;
    return !opens && from_replaced ? SeenDevice::kAny : SeenDevice::kOfFlow;
  }
  const Path own = sender == FlowEnd::kInitiator ? flow_path : reverse(flow_path);
  if (own == Path::kOut) {
    if (opens) {
      return hook == Hook::kPostrouting && to_replaced ? SeenDevice::kSomeWire
                                                       : SeenDevice::kOfFlow;
    }
    return hook == Hook::kOutput && from_replaced ? SeenDevice::kAny : SeenDevice::kOfFlow;
  }
  // The opener sent its packets from this host.
  return !opens && to_replaced ? SeenDevice::kSomeWire : SeenDevice::kOfFlow;
}

}  // namespace postern
