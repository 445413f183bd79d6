// Short ways to make packets and to drive a conntrack table with them, for the conntrack tests.
#pragma once

#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

#include "engine/conntrack.hpp"
#include "engine/conntrack_window.hpp"

namespace postern::test {

inline constexpr std::uint8_t kFin = tcp_flag::kFin, kSyn = tcp_flag::kSyn, kRst = tcp_flag::kRst,
                              kAck = tcp_flag::kAck;

// One end of a TCP connection with the numbers that an honest stack would use.
struct TcpEnd {
  std::uint32_t address = 0;
  std::uint16_t port = 0;
  std::uint32_t isn = 0, next = 0;
  std::uint16_t window = 65535;
};

inline PacketView tcp_packet(const TcpEnd& from, const TcpEnd& to, std::uint8_t flags,
                             std::uint32_t seq, std::uint32_t ack, std::uint32_t data = 0) {
  static const Packet kEmpty;
  PacketView view;
  view.packet = &kEmpty;
  view.source = from.address;
  view.destination = to.address;
  view.source_port = from.port;
  view.destination_port = to.port;
  view.protocol = protocol::kTcp;
  view.tcp_flags = flags;
  view.seq = seq;
  view.ack = (flags & kAck) != 0 ? ack : 0;
  view.window = from.window;
  view.data_length = data;
  view.l4_length = 20 + data;
  view.length = 40 + data;
  return view;
}

inline PacketView plain_packet(std::uint8_t protocol_number, std::uint32_t source,
                               std::uint32_t destination, std::uint16_t source_port = 0,
                               std::uint16_t destination_port = 0) {
  static const Packet kEmpty;
  PacketView view;
  view.packet = &kEmpty;
  view.source = source;
  view.destination = destination;
  view.protocol = protocol_number;
  view.source_port = source_port;
  view.destination_port = destination_port;
  view.l4_length = 32;
  view.length = 52;
  return view;
}

// Tracks a packet that arrives, and confirms it as if every rule had accepted it.
inline Attachment pass(ConntrackTable& table, const PacketView& packet, bool accepted = true,
                       Hook hook = Hook::kPrerouting) {
  Attachment attachment;
  table.track(packet, hook, attachment);
  if (accepted) table.confirm(attachment);
  return attachment;
}

// Two ends and the table between them. `send` uses honest numbers and moves the sender's `next`.
struct Conversation {
  explicit Conversation(ConntrackConfig config = {}) : table(config) {}
  ConntrackTable table;
  TcpEnd client{0xc0000209, 40000, 1000, 1000}, server{0xc6336409, 80, 5000, 5000};

  Attachment send(TcpEnd& from, TcpEnd& to, std::uint8_t flags, std::uint32_t data = 0) {
    const std::uint32_t seq = (flags & kSyn) != 0 ? from.isn : from.next;
    const auto packet = tcp_packet(from, to, flags, seq, to.next, data);
    if ((flags & kRst) == 0) from.next = segment_end(packet);
    return pass(table, packet);
  }
  Attachment from_client(std::uint8_t flags, std::uint32_t data = 0) {
    return send(client, server, flags, data);
  }
  Attachment from_server(std::uint8_t flags, std::uint32_t data = 0) {
    return send(server, client, flags, data);
  }
  void handshake() {
    from_client(kSyn);
    from_server(kSyn | kAck);
    from_client(kAck);
  }
  // The only entry; null when there is none.
  ConntrackEntryPtr entry() const {
    const auto entries = table.entries();
    return entries.empty() ? nullptr : entries.front();
  }
  TcpState state() const { return entry() ? entry()->tcp.state : TcpState::kNone; }
};

}  // namespace postern::test
