// SCTP connection tracking with verification tags left free. What a packet does is what its chunks
// do one after the other, by the table of flow/conntrack_sctp.hpp: all that it can do is a search
// over that table.
//
// Why tags need no memory: every chunk passes in a packet with the tag that the entry waits for (0
// as long as it knows none; an INIT's is always 0), and a chunk that is refused behind others which
// moved the entry is an ABORT with the T flag, as long as the two directions' tags differ. The ends
// choose their tags, so they do, but where an entry was begun by a COOKIE ECHO with tag 0 (coarse).
// What ends believe of tags (which INIT was answered, which HEARTBEAT failed) only ever refuses
// packets that another tag gets through.
// Covered by tests/unit/sctp_sets_test.cpp, which holds it against the engine's tracker.
#include "symbolic/entries/abstract_entry_sctp.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "base/check.hpp"

namespace postern {
namespace {

using namespace sctp_chunk;

// Chunks that may stand anywhere in a packet; the first moves nothing.
constexpr std::array kAnywhere{kData,        kHeartbeat, kHeartbeatAck, kShutdown,
                               kShutdownAck, kError,     kAbort};

bool may_be_followed(std::uint8_t chunk) {
  return chunk != kInit && chunk != kInitAck && chunk != kShutdownComplete;
}

// Chunks, and where they have taken the entry.
struct Reading {
  SctpPacket packet;
  SctpState state;
  bool assured;
};

std::optional<Reading> read(const Reading& before, CtDirection direction, std::uint8_t chunk) {
  const auto next = sctp_next(before.state, direction, chunk);
  if (!next) return std::nullopt;
  Reading after = before;
  after.packet.add(chunk);
  after.assured = before.assured || (before.state != *next && *next == SctpState::kEstablished);
  after.state = *next;
  return after;
}

// Every state that a packet of the kind can take the entry to, each with the fewest chunks; all
// tags are right. What stands behind a chunk that has to be alone comes last (`alone`: how many).
struct Readings {
  std::vector<Reading> list;
  std::size_t alone = 0;
};

void add(std::vector<Reading>& list, const std::optional<Reading>& one) {
  if (!one) return;
  const bool known = std::ranges::any_of(list, [&](const Reading& other) {
    return other.state == one->state && other.assured == one->assured;
  });
  if (!known) list.push_back(*one);
}

Readings readings(const AbstractEntry& entry, CtDirection direction, PacketKind kind) {
  const Reading start{{}, entry.sctp, entry.assured};
  Readings result;
  std::vector<Reading>& list = result.list;
  if (kind == PacketKind::kSctp) {
    for (const std::uint8_t chunk : kAnywhere) add(list, read(start, direction, chunk));
  } else {
    add(list, read(start, direction, leading_chunk(kind)));
  }
  if (!may_be_followed(leading_chunk(kind))) {
    result.alone = list.size();
    return result;
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    for (const std::uint8_t chunk : kAnywhere) add(list, read(Reading(list[i]), direction, chunk));
  }
  const std::size_t before = list.size();
  if (kind == PacketKind::kSctp) add(list, read(start, direction, kShutdownComplete));
  result.alone = list.size() - before;
  return result;
}

// INVALID by the chunk that is put last.
AbstractStep refused(const AbstractEntry& after, SctpPacket packet, std::uint8_t last) {
  packet.add(last);
  AbstractStep step;
  step.state = CtState::kInvalid;
  step.after = after;
  step.condition = Condition::kTagWrong;
  step.sctp = packet;
  return step;
}

// The first packet. Of the chunks that may come first all but three leave the state CLOSED.
std::vector<AbstractStep> create(FlowEnd sender, PacketKind kind) {
  AbstractStep step;
  step.state = CtState::kNew;
  step.created = true;
  step.condition = Condition::kTagRight;
  step.after.present = true;
  step.after.tracker = Tracker::kSctp;
  step.after.originator = sender;
  std::vector<AbstractStep> steps;
  const auto by = [&](std::uint8_t chunk, bool coarse = false) {
    AbstractStep one = step;
    one.sctp.add(chunk);
    one.after.sctp = *sctp_next(SctpState::kNone, CtDirection::kOriginal, chunk);
    one.coarse = coarse;
    steps.push_back(one);
  };
  const AbstractStep none = refused({}, {}, leading_chunk(kind));
  if (kind == PacketKind::kSctpInit) {
    by(kInit);
    steps.push_back(none);
    return steps;
  }
  steps.push_back(none);  // an honest end knows a tag
  if (kind == PacketKind::kSctpInitAck) by(kInitAck);
  if (kind == PacketKind::kSctpCookieEcho) by(kCookieEcho, true);
  if (kind == PacketKind::kSctp) {
    for (const std::uint8_t chunk : {kHeartbeat, kHeartbeatAck, kShutdownAck}) by(chunk);
  }
  return steps;
}

AbstractStep taken(const AbstractEntry& entry, FlowEnd sender, const Reading& reading) {
  AbstractStep step;
  step.direction = entry.direction(sender);
  const bool reply = step.direction == CtDirection::kReply;
  const CtState unreplied = entry.expected ? CtState::kRelated : CtState::kNew;
  step.state = reply || entry.seen_reply ? CtState::kEstablished : unreplied;
  step.after = entry;
  step.after.sctp = reading.state;
  step.after.assured = reading.assured;
  step.after.seen_reply = entry.seen_reply || reply;
  step.status = step.after.status();
  step.condition = Condition::kTagRight;
  step.sctp = reading.packet;
  return step;
}

}  // namespace

std::uint8_t leading_chunk(PacketKind kind) {
  switch (kind) {
    case PacketKind::kSctpInit:
      return kInit;
    case PacketKind::kSctpInitAck:
      return kInitAck;
    case PacketKind::kSctpCookieEcho:
      return kCookieEcho;
    case PacketKind::kSctpCookieAck:
      return kCookieAck;
    default:
      return kData;
  }
}

void SctpPacket::add(std::uint8_t chunk) {
  POSTERN_CHECK(count < chunks.size(), "a few chunks do all that many can do");
  chunks[count++] = chunk;
}

std::vector<AbstractStep> sctp_successors(const AbstractEntry& entry, FlowEnd sender,
                                          PacketKind kind) {
  if (!entry.present) return create(sender, kind);
  const CtDirection direction = entry.direction(sender);
  const Readings all = readings(entry, direction, kind);
  std::vector<AbstractStep> steps;
  for (const Reading& one : all.list) steps.push_back(taken(entry, sender, one));
  const AbstractStep none = refused(entry, {}, leading_chunk(kind));
  // An honest end's tag is not 0: without an INIT ACK the entry does not know it.
  const bool unheard = entry.sctp == SctpState::kClosed && direction == CtDirection::kOriginal &&
                       kind != PacketKind::kSctpInit;
  steps.insert(unheard ? steps.begin() : steps.end(), none);
  for (std::size_t i = 0; i + all.alone < all.list.size(); ++i) {
    const Reading& one = all.list[i];
    if (one.state == entry.sctp && one.assured == entry.assured) continue;
    AbstractEntry after = entry;
    after.sctp = one.state;
    after.assured = one.assured;
    steps.push_back(refused(after, one.packet, kAbort));
  }
  return steps;
}

}  // namespace postern
