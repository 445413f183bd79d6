#include "engine/fragments.hpp"

#include <algorithm>

#include "engine/view.hpp"
#include "scenario/serialise.hpp"

namespace postern {
namespace {

Bytes layer4_of(const Packet& fragment) {
  const Bytes bytes = to_bytes(fragment);
  const auto found = find_layer4(bytes);
  if (!found) return {};
  return Bytes(bytes.begin() + static_cast<std::ptrdiff_t>(found->offset), bytes.end());
}

// Which ECN codepoints the fragments have, one bit each (RFC 3168, 5.3; ip_frag_ecn_table): nullopt
// where those with and without ECN are mixed, which the kernel drops; else what is added to the
// first one's.
std::optional<std::uint8_t> joined_ecn(unsigned codepoints) {
  constexpr unsigned kNone = 1u << 0, kCongested = 1u << 3;
  constexpr std::uint8_t kCongestedBits = 3;
  if (codepoints == kNone) return std::uint8_t{0};
  if ((codepoints & kNone) != 0) return std::nullopt;
  return (codepoints & kCongested) != 0 ? kCongestedBits : std::uint8_t{0};
}

}  // namespace

bool is_fragment(const Packet& packet) {
  return packet.more_fragments || packet.fragment_offset != 0;
}

std::vector<Packet> cut(const Packet& packet) {
  std::vector<Packet> pieces;
  for (const Bytes& bytes : to_wire(packet)) {
    auto piece = from_bytes(bytes);
    if (!piece) return {packet};
    piece->name = packet.name;
    piece->in = packet.in;
    piece->out_interface = packet.out_interface;
    piece->uid = packet.uid;
    piece->gid = packet.gid;
    piece->mark = packet.mark;
    pieces.push_back(std::move(*piece));
  }
  return pieces;
}

// inet_frag_queue_insert: what lies within one run is known.
Reassembler::Fit Reassembler::fit(const std::vector<Piece>& queue, const Piece& piece) {
  for (const Piece& other : queue) {
    if (piece.offset >= other.end() || other.offset >= piece.end()) continue;
    std::uint32_t run_end = 0;
    for (const Piece& p : queue) {
      if (p.run == other.run) run_end = std::max(run_end, p.end());
    }
    const bool known = other.run <= piece.offset && piece.end() <= run_end;
    return known ? Fit::kDuplicate : Fit::kOverlap;
  }
  return Fit::kNew;
}

std::optional<Packet> Reassembler::add(const Packet& fragment) {
  const bool v4 = fragment.family() == Family::kIpv4;
  const Key key{fragment.source, fragment.destination, v4 ? fragment.protocol : std::uint8_t{0},
                fragment.ip_id};
  std::vector<Piece>& queue = queues_[key];
  Piece piece{fragment.fragment_offset, !fragment.more_fragments, fragment, layer4_of(fragment)};
  const Fit found = fit(queue, piece);
  if (found == Fit::kOverlap) queues_.erase(key);
  if (found != Fit::kNew) return std::nullopt;
  const bool follows = !queue.empty() && queue.back().end() == piece.offset;
  piece.run = follows ? queue.back().run : piece.offset;
  queue.push_back(std::move(piece));
  std::ranges::sort(queue, {}, &Piece::offset);
  std::uint32_t covered = 0;
  std::size_t largest = 0;
  Bytes whole;
  unsigned codepoints = 0;
  for (const Piece& p : queue) {
    if (p.offset != covered) return std::nullopt;
    codepoints |= 1u << (p.packet.tos & 3);
    covered = p.end();
    largest = std::max(largest, p.layer4.size());
    put(whole, p.layer4);
  }
  if (!queue.back().last) return std::nullopt;
  const auto ecn = joined_ecn(codepoints);
  if (!ecn) {
    queues_.erase(key);
    return std::nullopt;
  }
  Packet joined = queue.front().packet;
  joined.in = fragment.in;  // the whole comes by the wire of the piece that completes it
  joined.tos |= *ecn;
  joined.more_fragments = false;
  joined.raw.reset();
  joined.raw_l4 = std::move(whole);
  queues_.erase(key);
  joined = readable(joined);
  joined.fragment_size = static_cast<std::uint16_t>(largest);
  return joined;
}

}  // namespace postern
