#include "engine/conntrack_window.hpp"

#include <algorithm>

namespace postern {
namespace {

// How far behind an acknowledgement may lie, at least (bytes).
constexpr std::uint32_t kMinAckWindow = 66000;

// One segment against the two sides.
class WindowCheck {
 public:
  WindowCheck(TcpTracking& tcp, CtDirection direction, const PacketView& packet, bool be_liberal)
      : tcp_(tcp),
        sender_(tcp.side[static_cast<std::size_t>(direction)]),
        receiver_(tcp.side[static_cast<std::size_t>(opposite(direction))]),
        direction_(direction),
        packet_(packet),
        seq_(packet.seq),
        end_(segment_end(packet)),
        ack_(packet.ack),
        sack_(receiver_.sack_permitted ? highest_sack(packet.tcp_options, packet.ack) : packet.ack),
        liberal_(be_liberal || sender_.be_liberal) {
    // The receiver's numbers as it knows them itself.
    const auto shift = tcp.shift[static_cast<std::size_t>(opposite(direction))].at(ack_ - 1);
    ack_ -= shift;
    sack_ -= shift;
  }

  InWindow run();

 private:
  bool has(std::uint8_t flag) const { return (packet_.tcp_flags & flag) != 0; }
  bool opening() const {
    return tcp_.state == TcpState::kSynSent || tcp_.state == TcpState::kSynRecv;
  }
  std::uint32_t ack_window() const { return std::max(sender_.max_window, kMinAckWindow); }
  InWindow refuse(InWindow verdict) const { return liberal_ ? InWindow::kYes : verdict; }

  // Each returns true when the segment is settled as in the window without further looks.
  bool first_of_its_side();
  bool renewed_syn();
  void begin_side();
  void join_midway();
  void assume_missing_numbers();
  InWindow beyond();
  void update_sender(std::uint32_t window);
  void update_receiver(std::uint32_t window);
  void note_retransmission();

  TcpTracking& tcp_;
  TcpSide& sender_;
  TcpSide& receiver_;
  CtDirection direction_;
  const PacketView& packet_;
  std::uint32_t seq_, end_, ack_, sack_;
  bool liberal_;
};

// A SYN tells all about its side. Scaling holds only if both sides offered it, which is known when
// the reply side speaks.
void WindowCheck::begin_side() {
  sender_.end = sender_.max_end = end_;
  sender_.max_window = std::max<std::uint32_t>(packet_.window, 1);
  learn_options(sender_, syn_options(packet_.tcp_options));
  if (direction_ == CtDirection::kReply && !(sender_.window_scale && receiver_.window_scale)) {
    sender_.scale = receiver_.scale = 0;
  }
}

// The beginning of this side was missed: believe the segment.
void WindowCheck::join_midway() {
  const std::uint32_t window = std::uint32_t{packet_.window} << sender_.scale;
  sender_.end = end_;
  sender_.max_window = std::max<std::uint32_t>(window, 1);
  sender_.max_end = end_ + sender_.max_window;
  if (receiver_.max_window == 0) {
    receiver_.end = receiver_.max_end = sack_;
  } else if (sack_ == receiver_.end + 1) {
    ++receiver_.end;  // the answer to a keep-alive probe
  }
}

bool WindowCheck::first_of_its_side() {
  if (!has(tcp_flag::kSyn)) {
    join_midway();
    return false;
  }
  begin_side();
  return !has(tcp_flag::kAck);  // a simultaneous open
}

// A SYN with a later sequence number begins its side again while the connection is opening.
bool WindowCheck::renewed_syn() {
  begin_side();
  return direction_ == CtDirection::kReply && !has(tcp_flag::kAck);
}

void WindowCheck::assume_missing_numbers() {
  const bool bare_reset = has(tcp_flag::kRst) && has(tcp_flag::kAck) && ack_ == 0;
  if (!has(tcp_flag::kAck) || bare_reset) ack_ = sack_ = receiver_.end;
  if (has(tcp_flag::kRst) && seq_ == 0 && tcp_.state == TcpState::kSynSent) {
    seq_ = end_ = sender_.end;  // a reset in answer to a SYN has no number of its own
  }
}

// The segment starts behind the right edge of what the receiver allowed. Up to one window too far
// is let through, and remembered as sent in case it is acknowledged.
InWindow WindowCheck::beyond() {
  const std::uint32_t overshot = end_ - sender_.max_end + 1;
  const bool reaches =
      receiver_.max_window != 0 && seq_after(end_, sender_.end - receiver_.max_window - 1);
  const bool acks =
      seq_after(sack_, receiver_.end - ack_window() - 1) && seq_before(sack_, receiver_.end + 1);
  if (!reaches || !acks || overshot > receiver_.max_window) return refuse(InWindow::kNo);
  sender_.end = end_;
  sender_.data_unacknowledged = true;
  return refuse(InWindow::kIgnored);
}

void WindowCheck::update_sender(std::uint32_t window) {
  sender_.max_window = std::max(sender_.max_window, window + (sack_ - ack_));
  if (seq_after(end_, sender_.end)) {
    sender_.end = end_;
    sender_.data_unacknowledged = true;
  }
  if (!has(tcp_flag::kAck)) return;
  if (!sender_.max_ack_set || seq_after(ack_, sender_.max_ack)) sender_.max_ack = ack_;
  sender_.max_ack_set = true;
}

void WindowCheck::update_receiver(std::uint32_t window) {
  if (receiver_.max_window != 0 && seq_after(end_, sender_.max_end)) {
    receiver_.max_window += end_ - sender_.max_end;
  }
  if (seq_after(sack_ + window, receiver_.max_end - 1)) {
    receiver_.max_end = sack_ + window + (window == 0 ? 1 : 0);
  }
  if (ack_ == receiver_.end) receiver_.data_unacknowledged = false;
}

void WindowCheck::note_retransmission() {
  const bool same = tcp_.last_direction == direction_ && tcp_.last_seq == seq_ &&
                    tcp_.last_ack == ack_ && tcp_.last_end == end_ &&
                    tcp_.last_window == packet_.window;
  if (same) {
    ++tcp_.retransmissions;
    return;
  }
  tcp_.last_direction = direction_;
  tcp_.last_seq = seq_;
  tcp_.last_ack = ack_;
  tcp_.last_end = end_;
  tcp_.last_window = packet_.window;
  tcp_.retransmissions = 0;
}

InWindow WindowCheck::run() {
  if (sender_.max_window == 0) {
    if (first_of_its_side()) return InWindow::kYes;
  } else if (has(tcp_flag::kSyn) && opening() && seq_after(end_, sender_.end)) {
    if (renewed_syn()) return InWindow::kYes;
  }
  assume_missing_numbers();
  if (!seq_before(seq_, sender_.max_end + 1)) return beyond();
  if (!seq_before(sack_, receiver_.end + 1)) return refuse(InWindow::kNo);
  if (receiver_.max_window != 0 && !seq_after(end_, sender_.end - receiver_.max_window - 1)) {
    return refuse(InWindow::kIgnored);
  }
  if (!seq_after(sack_, receiver_.end - ack_window() - 1)) return refuse(InWindow::kIgnored);

  const std::uint32_t window =
      has(tcp_flag::kSyn) ? packet_.window : std::uint32_t{packet_.window} << sender_.scale;
  update_sender(window);
  update_receiver(window);
  if (tcp_segment(packet_.tcp_flags) == TcpSegment::kAck) note_retransmission();
  return InWindow::kYes;
}

}  // namespace

std::uint32_t segment_end(const PacketView& packet) {
  return packet.seq + packet.data_length + ((packet.tcp_flags & tcp_flag::kSyn) != 0 ? 1 : 0) +
         ((packet.tcp_flags & tcp_flag::kFin) != 0 ? 1 : 0);
}

InWindow check_window(TcpTracking& tcp, CtDirection direction, const PacketView& packet,
                      bool be_liberal) {
  return WindowCheck(tcp, direction, packet, be_liberal).run();
}

}  // namespace postern
