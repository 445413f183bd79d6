#include "symbolic/nat/rerouting.hpp"

#include <algorithm>

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

bool changes_what_routes(const Program& program) {
  const auto entry = program.entry(Hook::kOutput, TableName::kMangle);
  return entry && std::ranges::any_of(program.rules(), [&](const ProgramRule& rule) {
           if (program.chains()[rule.chain].table != TableName::kMangle) return false;
           const Effect* effect = std::get_if<Effect>(&rule.rule->action);
           return effect != nullptr && (std::holds_alternative<SetMark>(*effect) ||
                                        std::holds_alternative<SetField>(*effect) ||
                                        std::holds_alternative<AddField>(*effect) ||
                                        std::holds_alternative<SetConnmark>(*effect));
         });
}

}  // namespace postern
