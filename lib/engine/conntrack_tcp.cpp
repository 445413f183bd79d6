// TCP's tracker: the transition table (flow/conntrack_tcp.hpp) with everything that the table
// cannot say: first packets, SYNs that are ignored until somebody answers them, reopening,
// simultaneous open, challenge ACKs, which resets are believed, timeouts. Order of the tests:
// nf_conntrack_tcp_packet's. Sources: kernel-facts 28-37 and the appendix. Covered by
// tests/unit/conntrack_tcp_test.cpp (every cell of the appendix) and the kernel test.
#include <algorithm>

#include "engine/conntrack_trackers.hpp"
#include "engine/conntrack_window.hpp"

namespace postern {
namespace {

// One segment meeting one entry.
class Segment {
 public:
  Segment(ConntrackEntry& entry, const PacketView& packet, CtDirection direction,
          const TrackContext& context, TcpSegment kind)
      : entry_(entry),
        tcp_(entry.tcp),
        packet_(packet),
        direction_(direction),
        context_(context),
        kind_(kind),
        old_(entry.tcp.state),
        next_(entry.tcp.state) {}

  Tracked run();

 private:
  enum class Reset : std::uint8_t { kCheckWindow, kBelieved, kInvalid };

  TcpSide& side(CtDirection direction) { return tcp_.side[static_cast<std::size_t>(direction)]; }
  bool original() const { return direction_ == CtDirection::kOriginal; }
  bool answers(TcpSegment kind) const {
    return tcp_.last_segment == kind && tcp_.last_direction != direction_;
  }
  // Established for good, as far as resets are concerned.
  bool firm() const { return old_ == TcpState::kEstablished && entry_.assured(); }

  bool begin();
  bool reopens() const;
  bool resynchronises() const;
  void resynchronise();
  void ignore();
  bool is_challenge_ack() const;
  Reset judge_reset();
  bool acknowledges_ignored() const;
  void remember_refused();
  Tracked accept();
  std::uint32_t timeout() const;

  ConntrackEntry& entry_;
  TcpTracking& tcp_;
  const PacketView& packet_;
  CtDirection direction_;
  const TrackContext& context_;
  TcpSegment kind_;
  TcpState old_, next_;
};

// The first packet of an entry. False: it cannot begin one.
bool Segment::begin() {
  const auto& cell = tcp_cell(TcpState::kNone, CtDirection::kOriginal, kind_);
  if (cell.kind != TcpCell::Kind::kMove) return false;
  const bool pickup = cell.next != TcpState::kSynSent;
  if (pickup && !context_.config.tcp_loose) return false;
  tcp_ = {};
  TcpSide& sender = side(CtDirection::kOriginal);
  sender.end = sender.max_end = segment_end(packet_);
  sender.max_window = std::max<std::uint32_t>(packet_.window, 1);
  if (pickup) {
    sender.max_end += sender.max_window;
    for (auto& each : tcp_.side) each.sack_permitted = each.be_liberal = true;
  } else {
    learn_options(sender, syn_options(packet_.tcp_options));
  }
  return true;
}

// A SYN after the end of a connection: TIME_WAIT or CLOSE after a FIN, or after the sender's own
// RST.
bool Segment::reopens() const {
  const bool own_reset = tcp_.last_segment == TcpSegment::kRst && tcp_.last_direction == direction_;
  return tcp_.side[0].close_init || tcp_.side[1].close_init || own_reset;
}

bool Segment::resynchronises() const {
  return kind_ == TcpSegment::kSynAck && answers(TcpSegment::kSyn) && packet_.ack == tcp_.last_end;
}

// Somebody answered the SYN that was ignored: both ends are in a new connection. Take it over from
// what was noted of that SYN.
void Segment::resynchronise() {
  old_ = TcpState::kSynSent;
  next_ = TcpState::kSynRecv;
  TcpSide& opener = side(tcp_.last_direction);
  opener = {};
  opener.end = opener.max_end = tcp_.last_end;
  opener.max_window = std::max<std::uint32_t>(tcp_.last_window, 1);
  opener.scale = tcp_.noted_scale;
  opener.window_scale = tcp_.noted_window_scale;
  opener.sack_permitted = tcp_.noted_sack;
  tcp_.expect_challenge_ack = false;
  TcpSide& answerer = side(direction_);
  const bool liberal = answerer.be_liberal;
  answerer = {};
  answerer.be_liberal = liberal;
}

void Segment::ignore() {
  tcp_.last_segment = kind_;
  tcp_.last_direction = direction_;
  tcp_.last_seq = packet_.seq;
  tcp_.last_end = segment_end(packet_);
  tcp_.last_window = packet_.window;
  if (kind_ == TcpSegment::kSyn && original()) {
    const SynOptions options = syn_options(packet_.tcp_options);
    tcp_.noted_window_scale = options.window_scale;
    tcp_.noted_scale = options.scale;
    tcp_.noted_sack = options.sack_permitted;
    tcp_.simultaneous_open = false;
    tcp_.expect_challenge_ack = old_ == TcpState::kLastAck;
  }
  if (old_ == TcpState::kSynSent && kind_ == TcpSegment::kAck && !original()) {
    tcp_.last_ack = packet_.ack;
  }
}

// In LAST_ACK an ACK that answers an ignored SYN does not acknowledge the last FIN (RFC 5961).
bool Segment::is_challenge_ack() const {
  return old_ == TcpState::kLastAck && kind_ == TcpSegment::kAck && answers(TcpSegment::kSyn) &&
         tcp_.expect_challenge_ack;
}

// A reset in answer to a segment that was let through unchecked. (That the SYN must have come from
// the other side is new in late stable kernels; measured on 6.18.44.)
bool Segment::acknowledges_ignored() const {
  const bool syn = entry_.seen_reply() && answers(TcpSegment::kSyn);
  const bool ack = !entry_.assured() && tcp_.last_segment == TcpSegment::kAck;
  if ((syn || ack) && packet_.ack == tcp_.last_end) return true;
  return old_ == TcpState::kSynSent && tcp_.last_segment == TcpSegment::kAck &&
         tcp_.last_direction == CtDirection::kReply && packet_.seq == tcp_.last_ack;
}

Segment::Reset Segment::judge_reset() {
  switch (old_) {
    case TcpState::kFinWait:
    case TcpState::kCloseWait:
    case TcpState::kLastAck:
    case TcpState::kTimeWait:
    case TcpState::kClose:
      return Reset::kBelieved;  // closing anyway
    default:
      break;
  }
  const TcpSide& other = side(opposite(direction_));
  if (other.max_ack_set && tcp_.last_segment != TcpSegment::kSyn) {
    if (packet_.seq == 0 && !firm()) return Reset::kCheckWindow;
    if (seq_before(packet_.seq, other.max_ack) && !context_.config.tcp_ignore_invalid_rst) {
      return Reset::kInvalid;
    }
    if (!firm() || packet_.seq == other.max_ack) return Reset::kCheckWindow;
    const bool follows_own_data = tcp_.last_segment == TcpSegment::kAck &&
                                  tcp_.last_direction == direction_ && packet_.seq == tcp_.last_end;
    if (follows_own_data) return Reset::kCheckWindow;
    next_ = old_;  // in the window but not exact: leave it to the other end to challenge it
  }
  return acknowledges_ignored() ? Reset::kBelieved : Reset::kCheckWindow;
}

// FINs and RSTs that the window refuses: the entry may be out of step with the ends, so the second
// of a pair shortens its life.
void Segment::remember_refused() {
  if (!entry_.assured() || (kind_ != TcpSegment::kFin && kind_ != TcpSegment::kRst)) return;
  if (!answers(TcpSegment::kFin) && !answers(TcpSegment::kRst)) {
    tcp_.last_segment = kind_;
    tcp_.last_direction = direction_;
    return;
  }
  constexpr std::uint64_t kShortMilliseconds = 120000;
  const std::uint64_t lowered = context_.in_seconds(context_.config.timeouts.tcp_unacknowledged);
  if (entry_.deadline >= context_.now + kShortMilliseconds) {
    entry_.deadline = std::min(entry_.deadline, lowered);
  }
}

std::uint32_t Segment::timeout() const {
  const auto& timeouts = context_.config.timeouts;
  const std::uint32_t normal = timeouts.tcp[static_cast<std::size_t>(next_)];
  const bool unacknowledged = tcp_.side[0].data_unacknowledged || tcp_.side[1].data_unacknowledged;
  if (tcp_.retransmissions >= context_.config.tcp_max_retrans &&
      normal > timeouts.tcp_max_retrans) {
    return timeouts.tcp_max_retrans;
  }
  if (kind_ == TcpSegment::kRst) return timeouts.tcp[static_cast<std::size_t>(TcpState::kClose)];
  if (unacknowledged && normal > timeouts.tcp_unacknowledged) return timeouts.tcp_unacknowledged;
  if (tcp_.last_window == 0 && normal > timeouts.tcp_max_retrans) return timeouts.tcp_max_retrans;
  return normal;
}

Tracked Segment::accept() {
  tcp_.last_segment = kind_;
  tcp_.last_direction = direction_;
  tcp_.state = next_;
  if (old_ != next_ && next_ == TcpState::kFinWait) side(direction_).close_init = true;
  std::uint32_t seconds = timeout();
  if (!entry_.seen_reply()) {
    if (kind_ == TcpSegment::kRst) return Tracked::kEnds;
    // Repeated SYNs do not keep an entry alive.
    if (kind_ == TcpSegment::kSyn && old_ == TcpState::kSynSent) return Tracked::kValid;
    if (next_ == TcpState::kEstablished) {
      seconds = std::min(seconds, context_.config.timeouts.tcp_unacknowledged);
    }
  } else if (next_ == TcpState::kEstablished &&
             (old_ == TcpState::kSynRecv || old_ == TcpState::kEstablished)) {
    entry_.status |= ct_status::kAssured;
  }
  entry_.deadline = context_.in_seconds(seconds);
  return Tracked::kValid;
}

Tracked Segment::run() {
  if (!entry_.confirmed()) {
    if (!begin()) return Tracked::kInvalid;
    old_ = TcpState::kNone;
  }
  const auto& cell = tcp_cell(old_, direction_, kind_);
  if (cell.kind == TcpCell::Kind::kInvalid) return Tracked::kInvalid;
  const bool late_syn = cell.kind == TcpCell::Kind::kMove && cell.next == TcpState::kSynSent &&
                        (old_ == TcpState::kTimeWait || old_ == TcpState::kClose);
  if (late_syn && reopens()) return Tracked::kReopens;
  bool believed = false;
  if (late_syn || cell.kind == TcpCell::Kind::kIgnore) {
    if (!resynchronises()) {
      ignore();
      return Tracked::kValid;
    }
    resynchronise();
  } else {
    next_ = cell.next;
    if (is_challenge_ack()) {
      tcp_.expect_challenge_ack = false;
      return Tracked::kValid;
    }
    if (next_ == TcpState::kSynSent2) tcp_.simultaneous_open = true;
    if (next_ == TcpState::kSynRecv && !original() && kind_ == TcpSegment::kAck &&
        tcp_.simultaneous_open) {
      next_ = TcpState::kEstablished;
    }
    if (kind_ == TcpSegment::kRst) {
      const Reset verdict = judge_reset();
      if (verdict == Reset::kInvalid) return Tracked::kInvalid;
      believed = verdict == Reset::kBelieved;
    }
  }
  if (!believed) {
    switch (check_window(tcp_, direction_, packet_, context_.config.tcp_be_liberal)) {
      case InWindow::kIgnored:
        return Tracked::kValid;
      case InWindow::kNo:
        remember_refused();
        return Tracked::kInvalid;
      case InWindow::kYes:
        break;
    }
  }
  return accept();
}

}  // namespace

Tracked track_tcp(ConntrackEntry& entry, const PacketView& packet, CtDirection direction,
                  const TrackContext& context) {
  if (packet.truncated || packet.bad_length) return Tracked::kInvalid;
  if (packet.bad_checksum && context.checks_sums()) return Tracked::kInvalid;
  const auto kind = tcp_segment(packet.tcp_flags);
  if (!kind) return Tracked::kInvalid;
  return Segment(entry, packet, direction, context, *kind).run();
}

}  // namespace postern
