// SCTP's tracker: the chunks of a packet one after the other against the table
// (flow/conntrack_sctp.hpp), with the verification tags of RFC 9260 section 8.5.
// Covered by tests/unit/conntrack_sctp_test.cpp.
#include <span>
#include <vector>

#include "engine/conntrack_trackers.hpp"

namespace postern {
namespace {

using namespace sctp_chunk;
using Bytes = std::span<const std::uint8_t>;

constexpr std::uint8_t kTagOfPeer = 1;  // the T flag: the tag is the receiver's own

struct Chunk {
  std::uint8_t type, flags;
  Bytes body;  // behind the 4-byte chunk header, as far as it is there
};

std::uint32_t big_endian(Bytes bytes, std::size_t at) {
  return static_cast<std::uint32_t>(bytes[at]) << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 |
         bytes[at + 3];
}

// The chunks in order; nullopt when the packet has none, one of no length, or a combination that
// RFC 9260 forbids.
std::optional<std::vector<Chunk>> read_chunks(Bytes bytes) {
  constexpr std::size_t kHeader = 4;
  std::vector<Chunk> chunks;
  bool must_be_alone = false;
  for (std::size_t at = 0; at + kHeader <= bytes.size();) {
    const std::uint8_t type = bytes[at];
    const std::size_t length = static_cast<std::size_t>(bytes[at + 2] << 8 | bytes[at + 3]);
    must_be_alone = must_be_alone || type == kInit || type == kInitAck || type == kShutdownComplete;
    const bool must_lead = must_be_alone || type == kCookieAck || type == kCookieEcho;
    if ((must_lead && !chunks.empty()) || length == 0) return std::nullopt;
    chunks.push_back({type, bytes[at + 1], bytes.subspan(at + kHeader)});
    at += (length + 3) & ~std::size_t{3};
  }
  if (chunks.empty()) return std::nullopt;
  return chunks;
}

bool has(const std::vector<Chunk>& chunks, std::initializer_list<std::uint8_t> types) {
  for (const auto& chunk : chunks) {
    for (const auto type : types) {
      if (chunk.type == type) return true;
    }
  }
  return false;
}

// Initiate tag of an INIT or INIT ACK; nullopt when its fixed part is not all there.
std::optional<std::uint32_t> initiate_tag(const Chunk& chunk) {
  constexpr std::size_t kFixedPart = 16;
  if (chunk.body.size() < kFixedPart) return std::nullopt;
  return big_endian(chunk.body, 0);
}

class Association {
 public:
  Association(ConntrackEntry& entry, const PacketView& packet, CtDirection direction)
      : entry_(entry), sctp_(entry.sctp), tag_(packet.verification_tag), direction_(direction) {}

  bool begin(const std::vector<Chunk>& chunks);
  // False: INVALID. Sets `refresh` to whether the timeout starts anew.
  bool run(const std::vector<Chunk>& chunks, bool& refresh);

 private:
  enum class Tag : std::uint8_t { kGood, kBad, kSkip };

  std::uint32_t& own() { return sctp_.vtag[static_cast<std::size_t>(direction_)]; }
  std::uint32_t& peer() { return sctp_.vtag[static_cast<std::size_t>(opposite(direction_))]; }
  Tag check_tag(const Chunk& chunk, bool has_data, bool skipped);
  Tag check_heartbeat(bool answer, bool has_data, bool skipped);
  bool note_initiate(const Chunk& chunk, SctpState old);

  ConntrackEntry& entry_;
  SctpTracking& sctp_;
  std::uint32_t tag_;
  CtDirection direction_;
};

bool Association::begin(const std::vector<Chunk>& chunks) {
  if (has(chunks, {kAbort, kShutdownComplete, kCookieAck})) return false;
  sctp_ = {};
  for (const auto& chunk : chunks) {
    if (!sctp_next(SctpState::kNone, CtDirection::kOriginal, chunk.type)) return false;
    if (chunk.type == kInit) {
      const auto tag = initiate_tag(chunk);
      if (tag_ != 0 || !tag) return false;
      sctp_.vtag[1] = *tag;
    } else {
      const bool own_tag = chunk.type == kHeartbeat || chunk.type == kHeartbeatAck;
      sctp_.vtag[own_tag ? 0 : 1] = tag_;
    }
  }
  return true;
}

Association::Tag Association::check_heartbeat(bool answer, bool has_data, bool skipped) {
  if (own() == 0) {
    own() = tag_;
  } else if (tag_ == own()) {
    sctp_.heartbeat_failed = false;
  } else {
    if (has_data || skipped) return Tag::kBad;
    if (!answer) {
      sctp_.heartbeat_failed = true;
      sctp_.last_direction = direction_;
      return Tag::kSkip;
    }
    if (!sctp_.heartbeat_failed || sctp_.last_direction == direction_) return Tag::kBad;
    sctp_.heartbeat_failed = false;
    own() = tag_;
    peer() = 0;
  }
  return Tag::kGood;
}

Association::Tag Association::check_tag(const Chunk& chunk, bool has_data, bool skipped) {
  const auto verdict = [](bool good) { return good ? Tag::kGood : Tag::kBad; };
  switch (chunk.type) {
    case kInit:
      return verdict(tag_ == 0);
    case kAbort:
    case kShutdownComplete:
      return verdict(tag_ == ((chunk.flags & kTagOfPeer) != 0 ? peer() : own()));
    case kCookieEcho:
      return verdict(tag_ == own());
    case kCookieAck:
      sctp_.init = {};
      return Tag::kGood;
    case kHeartbeat:
      return check_heartbeat(false, has_data, skipped);
    case kHeartbeatAck:
      return check_heartbeat(true, has_data, skipped);
    default:
      return Tag::kGood;
  }
}

// An INIT or INIT ACK tells the tag that the other side must use. Where both sides have sent INITs,
// only the answer that repeats a known tag counts. False: INVALID.
bool Association::note_initiate(const Chunk& chunk, SctpState old) {
  const auto initiate = initiate_tag(chunk);
  if (!initiate) return false;
  bool& own_init = sctp_.init[static_cast<std::size_t>(direction_)];
  bool& peer_init = sctp_.init[static_cast<std::size_t>(opposite(direction_))];
  const bool known = peer() == *initiate;
  if (chunk.type == kInit) {
    if (old == SctpState::kNone || !known) {
      if (own_init) peer_init = false;
      own_init = true;
    }
  } else {
    if (!peer_init && peer() != 0 && !known) return false;
    if (own_init && peer_init && !known) return false;
  }
  peer() = *initiate;
  return true;
}

bool Association::run(const std::vector<Chunk>& chunks, bool& refresh) {
  const bool special = has(chunks, {kInit, kShutdownComplete, kCookieEcho, kAbort, kShutdownAck,
                                    kHeartbeat, kHeartbeatAck});
  if (!special && tag_ != own()) return false;
  const bool has_data = has(chunks, {kData});
  bool skipped = false;
  for (const auto& chunk : chunks) {
    const Tag tag = check_tag(chunk, has_data, skipped);
    if (tag == Tag::kBad) return false;
    if (tag == Tag::kSkip) {
      skipped = true;
      continue;
    }
    const SctpState old = sctp_.state;
    const auto next = sctp_next(old, direction_, chunk.type);
    if (!next) return false;
    if (chunk.type == kInit || chunk.type == kInitAck) {
      if (!note_initiate(chunk, old)) return false;
      // A repeated INIT does not keep the entry alive.
      skipped = skipped || (chunk.type == kInit && old == SctpState::kClosed &&
                            *next == SctpState::kClosed && entry_.confirmed());
    }
    sctp_.state = *next;
    if (old != *next && *next == SctpState::kEstablished) entry_.status |= ct_status::kAssured;
  }
  refresh = !skipped;
  return true;
}

std::uint32_t timeout(SctpState state, const ConntrackTimeouts& timeouts) {
  switch (state) {
    case SctpState::kNone:
    case SctpState::kClosed:
      return timeouts.sctp_closed;
    case SctpState::kCookieWait:
      return timeouts.sctp_cookie_wait;
    case SctpState::kCookieEchoed:
      return timeouts.sctp_cookie_echoed;
    case SctpState::kEstablished:
      return timeouts.sctp_established;
    case SctpState::kShutdownSent:
      return timeouts.sctp_shutdown_sent;
    case SctpState::kShutdownReceived:
      return timeouts.sctp_shutdown_received;
    case SctpState::kShutdownAckSent:
      return timeouts.sctp_shutdown_ack_sent;
    case SctpState::kHeartbeatSent:
      return timeouts.sctp_heartbeat_sent;
  }
  return timeouts.sctp_closed;
}

}  // namespace

Tracked track_sctp(ConntrackEntry& entry, const PacketView& packet, CtDirection direction,
                   const TrackContext& context) {
  if (packet.truncated || packet.bad_length) return Tracked::kInvalid;
  if (packet.bad_checksum && context.checks_sums()) return Tracked::kInvalid;
  const auto chunks = read_chunks(packet.sctp_chunks);
  if (!chunks) return Tracked::kInvalid;
  Association association(entry, packet, direction);
  if (!entry.confirmed() && !association.begin(*chunks)) return Tracked::kInvalid;
  bool refresh = true;
  if (!association.run(*chunks, refresh)) return Tracked::kInvalid;
  if (refresh) {
    entry.deadline = context.in_seconds(timeout(entry.sctp.state, context.config.timeouts));
  }
  return Tracked::kValid;
}

}  // namespace postern
