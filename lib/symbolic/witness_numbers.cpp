#include "symbolic/witness_numbers.hpp"

#include "net/protocol.hpp"

namespace postern {
namespace {

constexpr std::uint32_t kBeyondWindow = 98'304;   // between one and two windows of 65535 bytes
constexpr std::uint32_t kFarBeyond = 0x10000000;

}  // namespace

void TcpNumbers::write(Packet& packet, const FlowStep& step) {
  if (packet.protocol != protocol::kTcp) return;
  End& self = ends_[step.reply ? 1 : 0];
  const End& peer = ends_[step.reply ? 0 : 1];
  const bool syn = (packet.flags & tcp_flag::kSyn) != 0;
  const bool ack = (packet.flags & tcp_flag::kAck) != 0;
  const bool fin = (packet.flags & tcp_flag::kFin) != 0;
  // A SYN that is sent again carries the number that it had before.
  packet.seq = syn && self.opened ? self.initial : self.next;
  packet.ack = ack ? peer.next : 0;
  switch (step.condition) {
    case Condition::kStretched: packet.seq = self.next + kBeyondWindow; break;
    case Condition::kOutOfWindow: packet.seq = self.next + kFarBeyond; break;
    case Condition::kAnswersIgnored: packet.ack = peer.ignored + 1; break;
    case Condition::kResetInexact: packet.seq = self.next + 1; break;
    case Condition::kResetBelow: packet.seq = self.next - 500; break;
    default: break;
  }
  const bool honest = step.condition == Condition::kAlways ||
                      step.condition == Condition::kInWindow ||
                      step.condition == Condition::kAnswersIgnored;
  if (!honest) return;
  if (syn && step.before.entry != 0 && step.before == step.after) self.ignored = packet.seq;
  if (syn) self.opened = true;
  const auto used = static_cast<std::uint32_t>(packet.payload.size()) + (syn ? 1U : 0U) + (fin ? 1U : 0U);
  if (packet.seq == self.next) self.next += used;
}

}  // namespace postern
