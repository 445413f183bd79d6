// TCP connection tracking with sequence numbers left free. The kernel's tracker asks, in this
// order: the table's cell; is this a SYN that reopens; is it ignored (and if so, does it answer a
// segment that was ignored before); is it a challenge ACK; may this reset close; is it in the
// window. Each question about numbers forks here, as far as the hidden bits of the entry leave it
// open.
#include "symbolic/entries/abstract_entry_tcp.hpp"

#include <algorithm>
#include <utility>

namespace postern {
namespace {

using Kind = TcpCell::Kind;

// Is this a state in which every reset is believed and every SYN/ACK ignored?
bool closing(TcpState state) {
  return state == TcpState::kFinWait || state == TcpState::kCloseWait ||
         state == TcpState::kLastAck || state == TcpState::kTimeWait || state == TcpState::kClose;
}

// One segment meeting one existing entry.
class Meeting {
 public:
  Meeting(const AbstractEntry& entry, FlowEnd sender, TcpSegment segment,
          const ConntrackConfig& config)
      : entry_(entry),
        sender_(sender),
        direction_(entry.direction(sender)),
        segment_(segment),
        config_(config) {}

  std::vector<AbstractStep> run();

 private:
  bool original() const { return direction_ == CtDirection::kOriginal; }
  bool last_was(TcpSegment segment) const { return entry_.last_segment == segment; }
  bool last_from_other() const { return entry_.last_direction != direction_; }
  // Are this sender's numbers never held against it?
  bool liberal() const {
    return config_.tcp_be_liberal || (original() ? entry_.liberal_original : entry_.liberal_reply);
  }
  // May an ACK of the other side bound this side's resets?
  bool bounded() const {
    return (original() ? entry_.acked_reply : entry_.acked_original) && !last_was(TcpSegment::kSyn);
  }
  bool established() const { return entry_.state == TcpState::kEstablished && entry_.assured; }

  void invalid(const AbstractEntry& after, Condition condition);
  // Valid; what NF_ACCEPT does after the tracker: a reply sets SEEN_REPLY.
  void valid(AbstractEntry after, Condition condition);
  void reopen();
  void ignored();
  void resynchronise();
  void challenge_ack();
  void reset(AbstractEntry base);
  // The window check and what follows from it.
  void window(const AbstractEntry& base, TcpState next, Condition condition);
  void accept(AbstractEntry after, TcpState next, Condition condition);
  // Segments that no window check can refuse.
  bool never_refused() const;
  // Segments that are never harmless but strange: the window check takes or refuses them.
  bool never_stretched() const;
  void drop_repetitions();

  const AbstractEntry& entry_;
  FlowEnd sender_;
  CtDirection direction_;
  TcpSegment segment_;
  const ConntrackConfig& config_;
  std::vector<AbstractStep> steps_;
};

// The first packet of an entry: a SYN, or with tcp_loose an ACK (then nobody's window is believed).
std::vector<AbstractStep> create(FlowEnd sender, TcpSegment segment,
                                 const ConntrackConfig& config) {
  const auto& cell = tcp_cell(TcpState::kNone, CtDirection::kOriginal, segment);
  AbstractStep step;
  const bool pickup = cell.kind == Kind::kMove && cell.next != TcpState::kSynSent;
  if (cell.kind != Kind::kMove || (pickup && !config.tcp_loose)) return {step};
  step.state = CtState::kNew;
  step.created = true;
  step.after.present = true;
  step.after.tracker = Tracker::kTcp;
  step.after.originator = sender;
  step.after.state = cell.next;
  step.after.last_segment = segment;
  step.after.liberal_original = step.after.liberal_reply = pickup;
  step.after.acked_original = pickup;
  step.after = canonical(step.after);
  return {step};
}

void Meeting::invalid(const AbstractEntry& after, Condition condition) {
  AbstractStep step;
  step.state = CtState::kInvalid;
  step.after = after;
  step.condition = condition;
  steps_.push_back(step);
}

void Meeting::valid(AbstractEntry after, Condition condition) {
  AbstractStep step;
  step.direction = direction_;
  const CtState unreplied = entry_.expected ? CtState::kRelated : CtState::kNew;
  step.state = !original() || entry_.seen_reply ? CtState::kEstablished : unreplied;
  after.seen_reply = after.seen_reply || !original();
  step.after = after;
  step.status = after.status();
  step.condition = condition;
  steps_.push_back(step);
}

// A SYN that begins anew: the old entry goes at once, the packet makes another with its sender as
// the original side.
void Meeting::reopen() {
  AbstractStep step = create(sender_, segment_, config_).front();
  step.deleted = true;
  steps_.push_back(step);
}

// The SYN/ACK acknowledges a SYN that was ignored: entry and ends agree again, on a new connection.
void Meeting::resynchronise() {
  AbstractEntry after = entry_;
  after.state = TcpState::kSynRecv;
  after.last_segment = segment_;
  after.last_direction = direction_;
  after.close_init = after.expect_challenge_ack = false;
  (original() ? after.liberal_reply : after.liberal_original) = false;
  (original() ? after.acked_reply : after.acked_original) = false;
  (original() ? after.acked_original : after.acked_reply) = true;
  if (!original()) after.reply_window_known = true;
  valid(after, Condition::kAnswersIgnored);
}

void Meeting::ignored() {
  const bool may_answer =
      segment_ == TcpSegment::kSynAck && last_was(TcpSegment::kSyn) && last_from_other();
  AbstractEntry after = entry_;
  after.last_segment = segment_;
  after.last_direction = direction_;
  if (segment_ == TcpSegment::kSyn && original()) {
    after.simultaneous_open = false;
    after.expect_challenge_ack = entry_.state == TcpState::kLastAck;
  }
  if (may_answer) resynchronise();
  valid(after, may_answer ? Condition::kAnswersNothing : Condition::kAlways);
}

// In LAST_ACK, the answer to an ignored SYN does not acknowledge the last FIN.
void Meeting::challenge_ack() {
  AbstractEntry after = entry_;
  after.expect_challenge_ack = false;
  valid(after, Condition::kAlways);
}

// A side's first SYN in SYN_SENT is believed; it can only be the reply side's.
bool Meeting::never_refused() const {
  const bool opens = segment_ == TcpSegment::kSyn && entry_.state == TcpState::kSynSent;
  return liberal() || (opens && !original() && !entry_.reply_window_known);
}

// A SYN in SYN_SENT has no acknowledgement to be refused. As long as the reply side's window is not
// known, no right or left edge is measured against it either: what is refused then (a sequence
// number half the circle away, neither later nor in order) is INVALID.
bool Meeting::never_stretched() const {
  return segment_ == TcpSegment::kSyn && entry_.state == TcpState::kSynSent && original() &&
         !entry_.reply_window_known;
}

void Meeting::accept(AbstractEntry after, TcpState next, Condition condition) {
  const TcpState before = entry_.state;
  after.last_segment = segment_;
  after.last_direction = direction_;
  after.state = next;
  if (before != next && next == TcpState::kFinWait) after.close_init = true;
  if (!original()) after.reply_window_known = true;
  if (segment_ != TcpSegment::kSyn) (original() ? after.acked_original : after.acked_reply) = true;
  if (!entry_.seen_reply && segment_ == TcpSegment::kRst) {
    valid(after, condition);
    steps_.back().after = AbstractEntry{};
    steps_.back().deleted = true;
    return;
  }
  if (entry_.seen_reply && next == TcpState::kEstablished &&
      (before == TcpState::kSynRecv || before == TcpState::kEstablished)) {
    after.assured = true;
  }
  valid(after, condition);
}

void Meeting::window(const AbstractEntry& base, TcpState next, Condition condition) {
  accept(base, next, condition);
  if (never_refused()) return;
  AbstractEntry measured = base;
  if (!original()) measured.reply_window_known = true;
  if (!never_stretched()) valid(measured, Condition::kStretched);
  // A FIN or RST out of the window is remembered on an ASSURED entry, unless it answers another.
  const bool closes = segment_ == TcpSegment::kFin || segment_ == TcpSegment::kRst;
  const bool answers =
      last_from_other() && (last_was(TcpSegment::kFin) || last_was(TcpSegment::kRst));
  if (closes && entry_.assured && !answers) {
    measured.last_segment = segment_;
    measured.last_direction = direction_;
  }
  invalid(measured, Condition::kOutOfWindow);
}

void Meeting::reset(AbstractEntry base) {
  if (closing(entry_.state)) {
    accept(base, TcpState::kClose, Condition::kAlways);
    return;
  }
  window(base, TcpState::kClose, Condition::kResetExact);
  // Where a reset acknowledges the very segment that was ignored, no window is looked at; that
  // gives nothing new: accept() above already covers it.
  if (!bounded()) return;
  if (!config_.tcp_ignore_invalid_rst) invalid(entry_, Condition::kResetBelow);
  if (established()) window(base, TcpState::kEstablished, Condition::kResetInexact);
}

// Two outcomes that differ in their condition only are one; the first condition is kept.
void Meeting::drop_repetitions() {
  std::vector<AbstractStep> unique;
  for (auto& step : steps_) {
    step.after = canonical(step.after);
    const bool known = std::any_of(unique.begin(), unique.end(), [&](AbstractStep one) {
      one.condition = step.condition;
      return one == step;
    });
    if (!known) unique.push_back(step);
  }
  steps_ = std::move(unique);
}

std::vector<AbstractStep> Meeting::run() {
  const auto& cell = tcp_cell(entry_.state, direction_, segment_);
  if (cell.kind == Kind::kInvalid) {
    invalid(entry_, Condition::kAlways);
  } else if (cell.kind == Kind::kIgnore) {
    ignored();
  } else if (cell.next == TcpState::kSynSent && entry_.state != TcpState::kSynSent) {
    const bool own_reset = last_was(TcpSegment::kRst) && !last_from_other();
    if (entry_.close_init || own_reset) {
      reopen();
    } else {
      ignored();
    }
  } else if (cell.next == TcpState::kTimeWait && entry_.state == TcpState::kLastAck &&
             segment_ == TcpSegment::kAck && last_from_other() && last_was(TcpSegment::kSyn) &&
             entry_.expect_challenge_ack) {
    challenge_ack();
  } else if (segment_ == TcpSegment::kRst) {
    reset(entry_);
  } else {
    AbstractEntry base = entry_;
    TcpState next = cell.next;
    if (next == TcpState::kSynSent2) base.simultaneous_open = true;
    if (next == TcpState::kSynRecv && !original() && segment_ == TcpSegment::kAck &&
        entry_.simultaneous_open) {
      next = TcpState::kEstablished;
    }
    window(base, next, Condition::kInWindow);
  }
  drop_repetitions();
  return std::move(steps_);
}

// Can it still matter that `last` from that side was the last segment? SYN: a SYN/ACK may answer
// it, and resets are then not held against older ACKs. RST: its sender may reopen. RST and FIN: a
// refused RST or FIN from the other side is then not remembered, which only matters while resets
// can be refused. Others: never.
bool last_matters(const AbstractEntry& entry) {
  const bool original = entry.last_direction == CtDirection::kOriginal;
  switch (*entry.last_segment) {
    case TcpSegment::kSyn:
      return true;
    case TcpSegment::kRst:
      if (entry.state == TcpState::kClose) return original && !entry.close_init;
      return !closing(entry.state) && entry.assured;
    case TcpSegment::kFin:
      return !closing(entry.state) && entry.assured;
    case TcpSegment::kSynAck:
    case TcpSegment::kAck:
      break;
  }
  return false;
}

}  // namespace

AbstractEntry tcp_canonical(AbstractEntry entry) {
  if (entry.last_segment && !last_matters(entry)) {
    entry.last_segment.reset();
    entry.last_direction = CtDirection::kOriginal;
  }
  // The reply side cannot reopen a closed entry: its RST is then remembered like a FIN.
  if (entry.last_segment == TcpSegment::kRst && entry.last_direction == CtDirection::kReply) {
    entry.last_segment = TcpSegment::kFin;
  }
  if (entry.state != TcpState::kSynSent) entry.reply_window_known = false;
  if (closing(entry.state)) entry.acked_original = entry.acked_reply = false;
  if (closing(entry.state) || entry.state == TcpState::kEstablished) {
    entry.simultaneous_open = false;
  }
  if (entry.state != TcpState::kLastAck || entry.last_segment != TcpSegment::kSyn) {
    entry.expect_challenge_ack = false;
  }
  return entry;
}

std::vector<AbstractStep> tcp_successors(const AbstractEntry& entry, FlowEnd sender,
                                         TcpSegment segment, const ConntrackConfig& config) {
  if (!entry.present) return create(sender, segment, config);
  return Meeting(entry, sender, segment, config).run();
}

}  // namespace postern
