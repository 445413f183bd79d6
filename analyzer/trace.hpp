// `postern trace FILE -- PACKET...`: one packet (or several, one after the other) through a
// ruleset, rule by rule, with the reason why each rule that did not match did not. Covered by
// tests/unit/trace_test.cpp.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flow/program.hpp"
#include "scenario/scenario.hpp"
#include "text/diagnostic.hpp"

namespace postern {

// Reads packets from words in iptables' own spelling, with a value for each option:
//   -i/-o INTERFACE  -s/-d ADDRESS  -p PROTOCOL  --sport/--dport PORT  --syn  --flags SYN,ACK|NONE
//   --tcp-flags MASK COMP (COMP is what is set)  --icmp-type/--icmpv6-type TYPE[/CODE]  --ttl/--hl
//   N
//   --tos N  --mark N  --length BYTES (of the whole packet)  --seq N  --ack N
// "-m NAME" is read over; "--then" begins the next packet, which inherits nothing. What is not said
// gets documentation values (RFC 5737, RFC 3849; 127.0.0.1 and ::1 on lo). Without -i and -o the
// packet arrives on eth0; -o alone, or lo, means that the host itself sends it; -i and -o together
// mean that it is forwarded. Spans in errors refer to `source`, whose text is the words joined by
// blanks.
struct TracePacket {
  Packet packet;
  std::string forwarded_to;  // -o beside -i: the device that routes lead to
};
Result<std::vector<TracePacket>> read_packet_words(const SourceFile& source, Family family);

// The smallest world in which these packets go where their interfaces say: each -i or -o is a
// device, destinations of arriving packets are local, those of forwarded ones are routed.
Scenario trace_world(const std::vector<TracePacket>& packets, Family family);

struct TraceReport {
  std::string text;
  int exit_status = 0;  // 3: the packet met something that is not modelled
};
// `world`: interfaces, routes, sysctls, tracking, backend; its steps are not read.
TraceReport trace(const Program& program, const Scenario& world,
                  const std::vector<TracePacket>& packets);

}  // namespace postern
