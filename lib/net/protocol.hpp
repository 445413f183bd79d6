// IP protocol numbers and their names as iptables prints them; services and ICMP types by name.
// Built in, so that answers do not depend on the machine's /etc/protocols or /etc/services.
// Covered by tests/unit/net_test.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/family.hpp"

namespace postern {

namespace protocol {
inline constexpr std::uint8_t kIcmp = 1, kIgmp = 2, kTcp = 6, kUdp = 17, kDccp = 33, kGre = 47,
                              kEsp = 50, kAh = 51, kIcmpv6 = 58, kSctp = 132, kUdplite = 136;
}  // namespace protocol

// "tcp", "TCP", "6", "all" (0), "icmpv6"/"ipv6-icmp"; nullopt when unknown.
std::optional<std::uint8_t> protocol_number(std::string_view text);
// The name iptables-save prints for -p on a Debian with netbase installed, else the number.
std::string protocol_name(std::uint8_t number);

// Service name of /etc/services ("ssh", "domain") to port; nullopt when unknown. `protocol` is a
// name
// ("tcp"); an empty one means any of them. Names are matched exactly, as getservbyname does.
std::optional<std::uint16_t> service_port(std::string_view name, std::string_view protocol);

}  // namespace postern
