// From what was seen of a packet (sightings in our chains, captures on TUN devices) to its fate as
// a report. Pure: no system call here. Covered by tests/kernel/scenario_test.cpp.
//
// While one packet is dealt with, the only others in the namespace are answers of the host itself
// (REJECT, TTL exceeded, unreachable). They differ from the packet in protocol, TCP flags or ICMP
// type: RSTs and ICMP errors are never answered.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kernel/observer.hpp"
#include "kernel/wire.hpp"
#include "scenario/result.hpp"

namespace postern::kernel {

using InterfaceNames = std::function<std::string(std::uint32_t index)>;

// What makes a packet recognisable through NAT and fragmentation.
struct Fingerprint {
  std::uint8_t protocol = 0;
  std::optional<std::uint8_t> detail;  // TCP flags or ICMP type; absent in later fragments
  bool matches(const Fingerprint& other) const {
    return protocol == other.protocol && (!detail || !other.detail || detail == other.detail);
  }
};
Fingerprint fingerprint(ByteView bytes);

// Fills verdict, died_at, out, delivered, replies, state and reply_direction.
void judge(const Packet& packet, const std::vector<Sighting>& sightings,
           const std::vector<Capture>& captures, const InterfaceNames& names, PacketReport& report);

// Every sighting as a trace.
std::vector<TracePoint> trace_of(const std::vector<Sighting>& sightings,
                                 const InterfaceNames& names);

// Has something left POSTROUTING of which the end is not seen yet? The device it is on its way to,
// or empty. (Delivery is synchronous; this is for the case that it once is not.)
std::string pending_device(const std::vector<Sighting>& sightings,
                           const std::vector<Capture>& captures, const InterfaceNames& names);

}  // namespace postern::kernel
