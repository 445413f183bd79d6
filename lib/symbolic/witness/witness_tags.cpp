#include "symbolic/witness/witness_tags.hpp"

#include <initializer_list>

#include "net/protocol.hpp"
#include "symbolic/entries/abstract_entry_sctp.hpp"

namespace postern {
namespace {

using namespace sctp_chunk;

constexpr std::array<std::uint32_t, 2> kTagOf{1000, 5000};  // by end
constexpr std::uint32_t kNobodysTag = 9;
constexpr std::uint8_t kOtherTag = 1;  // the T flag

void append(std::vector<std::uint8_t>& to, std::uint32_t word) {
  for (const int shift : {24, 16, 8, 0}) to.push_back(static_cast<std::uint8_t>(word >> shift));
}

// What follows the header of a chunk (RFC 9260 section 3.3), as short as may be.
std::vector<std::uint32_t> body(std::uint8_t chunk, std::uint32_t own_tag) {
  switch (chunk) {
    case kInit:
    case kInitAck:
      return {own_tag, 65536, 0x00010001, 1};  // tag, window, streams, first TSN
    case kData:
      return {1, 0, 0, 0};  // TSN, stream, protocol, four bytes of data
    case kHeartbeat:
    case kHeartbeatAck:
      return {0x00010008, 1};  // what the sender wants back
    case kShutdown:
    case kCookieEcho:
      return {1};
    default:
      return {};
  }
}

// A length of a chunk that is not the last one.
std::size_t chunk_length(const std::vector<std::uint8_t>& chunks, std::size_t at) {
  return static_cast<std::size_t>(chunks[at + 2] << 8 | chunks[at + 3]);
}

// An honest end's chunk where no entry is met.
SctpPacket plain(const FlowStep& step) {
  SctpPacket packet;
  if (sctp_kind(step.kind)) {
    packet.add(leading_chunk(step.kind));
  } else {
    packet.add(step.reply ? kInitAck : kInit);
  }
  return packet;
}

}  // namespace

void SctpTags::write(Packet& packet, const FlowStep& step) {
  if (packet.protocol != protocol::kSctp) return;
  const std::size_t self = step.reply ? 1 : 0, other = 1 - self;
  const bool met = step.sctp.count != 0;
  const SctpPacket what = met ? step.sctp : plain(step);
  const std::uint8_t first = what.chunks[0];
  const bool lost = step.condition == Condition::kTagWrong && what.count == 1;
  const bool claims = step.condition == Condition::kTagWrong && !lost;
  if (met && (step.fresh || step.before.entry == 0)) known_ = {};
  const bool begins = met && !lost && (step.fresh || step.before.entry == 0);
  std::uint32_t tag = first == kInit ? 0 : kTagOf[other];
  if (lost) {
    const bool right = tag == (first == kInit ? 0 : known_[self]);
    if (right) tag = kNobodysTag;
  } else if (begins) {
    if (first == kInitAck || first == kCookieEcho) tag = 0;
    if (first == kShutdownAck) tag = kTagOf[self];  // as if reflected (RFC 9260, 8.4)
    const bool own = first == kHeartbeat || first == kHeartbeatAck;
    known_[own ? self : other] = tag;
  } else if (met && first != kInit) {
    tag = known_[self];
  }
  if (met && !lost && (first == kInit || first == kInitAck)) known_[other] = kTagOf[self];
  packet.verification_tag = tag;
  packet.chunks.clear();
  for (std::size_t i = 0; i < what.count; ++i) {
    const auto words = body(what.chunks[i], kTagOf[self]);
    const bool last = i + 1 == what.count;
    const std::uint32_t flags = claims && last            ? kOtherTag
                                : what.chunks[i] == kData ? 3U  // a whole message
                                                          : 0U;
    const auto length = static_cast<std::uint32_t>(4 + 4 * words.size());
    append(packet.chunks, std::uint32_t{what.chunks[i]} << 24 | flags << 16 | length);
    for (const std::uint32_t word : words) append(packet.chunks, word);
  }
}

void pad_last_chunk(Packet& packet) {
  if (packet.protocol != protocol::kSctp || packet.payload.empty()) return;
  auto& chunks = packet.chunks;
  std::size_t last = 0;
  while (last + chunk_length(chunks, last) < chunks.size()) last += chunk_length(chunks, last);
  const std::size_t length = chunk_length(chunks, last) + packet.payload.size();
  chunks[last + 2] = static_cast<std::uint8_t>(length >> 8);
  chunks[last + 3] = static_cast<std::uint8_t>(length);
  chunks.insert(chunks.end(), packet.payload.begin(), packet.payload.end());
  packet.payload.clear();
}

}  // namespace postern
