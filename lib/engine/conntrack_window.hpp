// TCP's window tracker: is this segment one that the two ends could have exchanged, given what was
// seen? Idea (after van Rooij): each side may send up to what the other has acknowledged plus its
// window, and acknowledge up to what the other has sent; anything reaching beyond is refused, old
// copies are let through but teach nothing.
// Sources: kernel-facts 35, 36; RFC 7323 for scaling, RFC 2018 for SACK.
// Covered by tests/unit/conntrack_window_test.cpp.
#pragma once

#include <cstdint>
#include <span>

#include "engine/conntrack_entry.hpp"
#include "engine/view.hpp"

namespace postern {

// Serial number arithmetic (RFC 1982): sequence numbers compare within half their circle.
constexpr bool seq_before(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b) < 0;
}
constexpr bool seq_after(std::uint32_t a, std::uint32_t b) { return seq_before(b, a); }

// One past the last sequence number that the segment occupies (SYN and FIN occupy one each).
std::uint32_t segment_end(const PacketView& packet);

// What a SYN's options promise. `any` is false when the segment has no options at all.
struct SynOptions {
  bool any = false;
  bool window_scale = false, sack_permitted = false;
  std::uint8_t scale = 0;  // at most 14
};
SynOptions syn_options(std::span<const std::uint8_t> options);

// The highest sequence number that the segment acknowledges: `ack`, or the end of a SACK block.
std::uint32_t highest_sack(std::span<const std::uint8_t> options, std::uint32_t ack);

// A side learns its options from its SYN; without any options it keeps what it had.
void learn_options(TcpSide& side, const SynOptions& options);

enum class InWindow : std::uint8_t {
  kYes,
  kIgnored,  // harmless but strange: the packet is valid, the entry stays
  kNo,
};

// Judges the segment and, if it is in the window, updates both sides. `be_liberal` is the sysctl.
InWindow check_window(TcpTracking& tcp, CtDirection direction, const PacketView& packet,
                      bool be_liberal);

}  // namespace postern
