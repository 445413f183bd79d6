// Helpers on a packet's way: run before confirmation, and what NAT makes of the payload and, from
// then on, of the sequence numbers. Sources: nf_confirm, nf_nat_helper.c, nf_conntrack_seqadj.c.
#include "engine/answer.hpp"
#include "engine/conntrack_window.hpp"
#include "engine/pipeline.hpp"

namespace postern {
namespace {

constexpr std::uint8_t kEnd = 0, kNop = 1, kSack = 5;
constexpr std::size_t kSackBlock = 8;

void write32(Bytes& bytes, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) {
    bytes[at + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
  }
}

// What the speaker of this number has itself called it.
std::uint32_t unshifted(const SequenceShift& shift, std::uint32_t seq) {
  return seq - (seq_after(seq - shift.before, shift.position) ? shift.after : shift.before);
}

// False: malformed options, the packet is dropped.
bool unshift_sack(Bytes& options, const SequenceShift& shift) {
  std::size_t at = 0;
  while (at < options.size() && options[at] != kEnd) {
    if (options[at] == kNop) {
      ++at;
      continue;
    }
    if (at + 1 == options.size() || options[at + 1] < 2 || at + options[at + 1] > options.size()) {
      return false;
    }
    const std::size_t length = options[at + 1];
    if (options[at] == kSack && length > 2 && (length - 2) % kSackBlock == 0) {
      for (std::size_t i = at + 2; i < at + length; i += 4) {
        write32(options, i, unshifted(shift, get32(options, i)));
      }
    }
    at += length;
  }
  return true;
}

bool is_plain_tcp(const PacketView& view) {
  return view.protocol == protocol::kTcp && !view.packet->raw && !view.packet->raw_l4;
}

}  // namespace

bool Pipeline::help(Traveller& packet) {
  const Attachment& attachment = packet.attachment;
  if (!attachment.entry) return true;
  // Both are asked for before the helper may change it.
  const ConntrackEntry& entry = *attachment.entry;
  const bool shifts =
      (entry.status & ct_status::kSequenceAdjust) != 0 && packet.in != world_.loopback();
  if (entry.helper.empty() && !shifts) return true;
  if (attachment.state == CtState::kRelated && attachment.direction == CtDirection::kReply) {
    return true;  // an ICMP error, or the host's own answer
  }
  if (expects_by_broadcast(entry.helper)) {
    const bool sent_by_us = packet.view.packet->local() && packet.in == kNoDevice;
    if (sent_by_us && !packet.unicast) throw Unmodelled("what " + entry.helper + " expects");
  } else if (!entry.helper.empty()) {
    const HelperVerdict verdict = run_helper(conntrack_, chooser_, packet.view, attachment);
    if (!verdict.accepted) return false;
    if (verdict.rewriting) rewrite(packet, *verdict.rewriting);
  }
  return !shifts || shift_sequence(packet);
}

// nf_nat_mangle_tcp_packet, nf_ct_seqadj_set
void Pipeline::rewrite(Traveller& packet, const Rewriting& rewriting) {
  if (!is_plain_tcp(packet.view)) throw Unmodelled("a helper's NAT of a packet given as bytes");
  Packet made = current(packet.view);
  const auto begin = made.payload.begin() + static_cast<std::ptrdiff_t>(rewriting.offset);
  const auto at = made.payload.erase(begin, begin + static_cast<std::ptrdiff_t>(rewriting.length));
  made.payload.insert(at, rewriting.words.begin(), rewriting.words.end());
  made.bad_checksum = false;
  replace(packet, std::move(made));
  if (packet.out != kNoDevice && packet.view.length > world_.mtu(packet.out)) {
    throw Unmodelled("a helper's NAT that makes a packet longer than the MTU");
  }
  if (rewriting.words.size() == rewriting.length) return;
  ConntrackEntry& entry = *packet.attachment.entry;
  entry.status |= ct_status::kSequenceAdjust;
  SequenceShift& shift = entry.tcp.shift[static_cast<std::size_t>(packet.attachment.direction)];
  if (shift.before != shift.after && !seq_before(shift.position, packet.view.seq)) return;
  shift.position = packet.view.seq;
  shift.before = shift.after;
  shift.after += static_cast<std::uint32_t>(rewriting.words.size()) -
                 static_cast<std::uint32_t>(rewriting.length);
}

bool Pipeline::shift_sequence(Traveller& packet) {
  if (!is_plain_tcp(packet.view)) {
    throw Unmodelled("the shift of sequence numbers of a packet that is not plain TCP");
  }
  const auto& shift = packet.attachment.entry->tcp.shift;
  const auto own = static_cast<std::size_t>(packet.attachment.direction);
  Packet made = current(packet.view);
  made.seq += shift[own].at(made.seq);
  bool good = true;
  if ((made.flags & tcp_flag::kAck) != 0) {  // else what stands in its place means nothing
    made.ack = unshifted(shift[1 - own], made.ack);
    good = unshift_sack(made.options, shift[1 - own]);
  }
  replace(packet, std::move(made));
  return good;
}

}  // namespace postern
