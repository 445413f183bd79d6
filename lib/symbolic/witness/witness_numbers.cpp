#include "symbolic/witness/witness_numbers.hpp"

#include <algorithm>

#include "net/protocol.hpp"

namespace postern {
namespace {

constexpr std::uint32_t kSlightly = 1000;      // within the second window of 65535 bytes
constexpr std::uint32_t kLongAgo = 0x100000;   // older than conntrack believes acknowledgements
constexpr std::uint32_t kFar = 0x10000000;     // beyond every window
constexpr std::uint32_t kOpposite = 1U << 31;  // neither before nor after, on the circle of numbers
// Conntrack reads the field even without the flag: a RST may acknowledge a segment that it ignored.
constexpr std::uint32_t kNobodysNumber = 1;

bool has(const Packet& packet, std::uint8_t flag) { return (packet.flags & flag) != 0; }

// Does the segment count for conntrack's idea of the two ends?
bool believed(const FlowStep& step) {
  if (step.condition == Condition::kInWindow || step.condition == Condition::kAnswersIgnored) {
    return true;
  }
  return step.condition == Condition::kAlways && (step.state == CtState::kNew || step.announced);
}

}  // namespace

// Numbers that bring the step's condition about. Where both can do it, the acknowledgement is bent
// and not the sequence number: a refused acknowledgement changes nothing in the entry.
void TcpNumbers::bend(Packet& packet, const FlowStep& step, const End& self,
                      const End& peer) const {
  const bool ack = has(packet, tcp_flag::kAck), syn = has(packet, tcp_flag::kSyn);
  // Of an end that was not heard conntrack knows no numbers, but a reset may answer its stray ACK.
  const std::uint32_t known = peer.heard ? peer.next : 0;
  const bool stray = has(packet, tcp_flag::kRst) && !peer.heard;
  switch (step.condition) {
    case Condition::kStretched:
      if (ack) {
        packet.ack = known - kLongAgo;
        packet.seq -= stray ? 1 : 0;
      } else {
        packet.seq = syn ? self.initial - kLongAgo : self.limit + kSlightly;
        packet.ack = kNobodysNumber;
      }
      break;
    case Condition::kOutOfWindow:
      if (ack) {
        packet.ack = known + kFar;
        packet.seq -= stray ? 1 : 0;
      } else if (syn) {  // a later number would begin its side again
        packet.seq = (self.heard ? self.next : self.initial + 1) + kOpposite;
        packet.ack = kNobodysNumber;
      } else {
        packet.seq = self.limit + kFar;
        packet.ack = kNobodysNumber;
      }
      break;
    case Condition::kAnswersIgnored:
      packet.ack = peer.initial + 1;
      break;
    case Condition::kAnswersNothing:
      packet.ack = peer.initial + kSlightly;
      break;
    case Condition::kResetExact:
      packet.seq = peer.acknowledged.value_or(self.next);
      if (ack) packet.ack = known;
      break;
    case Condition::kResetInexact:
      packet.seq = peer.acknowledged.value_or(self.next) + 5;
      break;
    case Condition::kResetBelow:
      packet.seq = peer.acknowledged.value_or(self.next) - kSlightly / 2;
      break;
    default:
      break;
  }
}

std::uint32_t expiry_milliseconds(const EntryInfo& info) {
  const ConntrackTimeouts timeouts;
  std::uint32_t seconds = timeouts.generic;  // the longest but TCP's
  if (info.entry.tracker == Tracker::kTcp) {
    seconds = timeouts.tcp[static_cast<std::size_t>(info.entry.state)];
  }
  return (seconds + 1) * 1000;
}

void TcpNumbers::write(Packet& packet, const FlowStep& step) {
  if (packet.protocol != protocol::kTcp) return;
  End& self = ends_[step.reply ? 1 : 0];
  End& peer = ends_[step.reply ? 0 : 1];
  const bool syn = has(packet, tcp_flag::kSyn), ack = has(packet, tcp_flag::kAck);
  const bool opens = syn && !ack && (step.state == CtState::kNew || step.announced);
  const bool fresh = step.fresh || step.before.entry == 0;
  if (opens || fresh) {  // nothing is remembered of either end
    self.restart();
    peer.restart();
  }
  // The first ACK of an entry acknowledges 0: only then does conntrack, which knows nothing of the
  // other end yet, take the number down.
  if (fresh && ack && !syn) peer.next = peer.limit = 0;
  // What the other end's window does not allow yet is not sent.
  packet.seq = syn ? self.initial : std::min(self.next, self.limit);
  packet.ack = ack ? peer.next : 0;
  bend(packet, step, self, peer);
  if (!believed(step)) return;
  if (step.condition == Condition::kAnswersIgnored) {  // a new connection, in the old entry
    self.restart();
    peer.restart();
    peer.next = peer.limit = packet.ack;
    peer.heard = true;
  }
  const auto used = static_cast<std::uint32_t>(packet.payload.size()) + (syn ? 1U : 0U) +
                    (has(packet, tcp_flag::kFin) ? 1U : 0U);
  self.heard = true;
  self.next = std::max(self.next, packet.seq + used);
  if (syn) self.limit = std::max(self.limit, self.next);
  if (!ack) return;
  self.acknowledged = packet.ack;
  peer.limit = std::max(peer.limit, packet.ack + packet.window);
}

}  // namespace postern
