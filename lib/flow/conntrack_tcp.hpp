// THE transition table of TCP connection tracking, as data: what a segment of each kind, from
// either side, does to an entry in each state *before* sequence numbers and hidden state have their
// say. The engine (lib/engine/conntrack_tcp.cpp) and the symbolic side
// (lib/symbolic/entries/abstract_entry.cpp) each interpret it on their own. Source: kernel-facts
// appendix and 30-34, measured on Linux 6.18 (net/netfilter/ nf_conntrack_proto_tcp.c). Covered by
// tests/unit/conntrack_table_test.cpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "net/field.hpp"

namespace postern {

// In the kernel's order (uapi nf_conntrack_tcp.h): netlink reports these numbers.
enum class TcpState : std::uint8_t {
  kNone,
  kSynSent,
  kSynRecv,
  kEstablished,
  kFinWait,
  kCloseWait,
  kLastAck,
  kTimeWait,
  kClose,
  kSynSent2,
};
inline constexpr std::size_t kTcpStateCount = 10;

// As `conntrack -L` prints it.
constexpr std::string_view text(TcpState state) {
  constexpr std::array<std::string_view, kTcpStateCount> kNames{
      "NONE",       "SYN_SENT", "SYN_RECV",  "ESTABLISHED", "FIN_WAIT",
      "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",       "SYN_SENT2"};
  return kNames[static_cast<std::size_t>(state)];
}
constexpr std::optional<TcpState> tcp_state(std::string_view name) {
  for (std::size_t i = 0; i < kTcpStateCount; ++i) {
    if (text(static_cast<TcpState>(i)) == name) return static_cast<TcpState>(i);
  }
  return std::nullopt;
}

// Which side of an entry a packet comes from.
enum class CtDirection : std::uint8_t { kOriginal, kReply };
constexpr CtDirection opposite(CtDirection direction) {
  return direction == CtDirection::kOriginal ? CtDirection::kReply : CtDirection::kOriginal;
}

// What a segment is to the tracker: RST wins over SYN, SYN over FIN, FIN over ACK.
enum class TcpSegment : std::uint8_t { kSyn, kSynAck, kFin, kAck, kRst };
inline constexpr std::size_t kTcpSegmentCount = 5;

// The nine flag sets that are not INVALID in themselves; PSH, ECE and CWR do not count.
constexpr bool tcp_flags_valid(std::uint8_t flags) {
  using namespace tcp_flag;
  switch (flags & (kFin | kSyn | kRst | kAck | kUrg)) {
    case kSyn:
    case kSyn | kUrg:
    case kSyn | kAck:
    case kRst:
    case kRst | kAck:
    case kFin | kAck:
    case kFin | kAck | kUrg:
    case kAck:
    case kAck | kUrg:
      return true;
    default:
      return false;
  }
}

// nullopt for the flag sets that are INVALID in every state.
constexpr std::optional<TcpSegment> tcp_segment(std::uint8_t flags) {
  if (!tcp_flags_valid(flags)) return std::nullopt;
  if ((flags & tcp_flag::kRst) != 0) return TcpSegment::kRst;
  if ((flags & tcp_flag::kSyn) != 0) {
    return (flags & tcp_flag::kAck) != 0 ? TcpSegment::kSynAck : TcpSegment::kSyn;
  }
  return (flags & tcp_flag::kFin) != 0 ? TcpSegment::kFin : TcpSegment::kAck;
}

// One cell of the table.
struct TcpCell {
  enum class Kind : std::uint8_t {
    kMove,    // to `next`, if the rest of the tracker agrees
    kIgnore,  // valid, but the entry keeps its state (and remembers the segment)
    kInvalid,
  };
  Kind kind = Kind::kInvalid;
  TcpState next = TcpState::kNone;  // only for kMove
  constexpr bool operator==(const TcpCell&) const = default;
};

namespace tcp_table {

// Cell shorthand, used nowhere but in the table below: states by their initials, two dots for
// kIgnore and two dashes for kInvalid.
constexpr TcpCell cell(std::string_view word) {
  constexpr std::array<std::string_view, kTcpStateCount> kWords{"no", "SS", "SR", "ES", "FW",
                                                                "CW", "LA", "TW", "CL", "S2"};
  if (word == "..") return {TcpCell::Kind::kIgnore, TcpState::kNone};
  for (std::size_t i = 1; i < kTcpStateCount; ++i) {
    if (kWords[i] == word) return {TcpCell::Kind::kMove, static_cast<TcpState>(i)};
  }
  return {};
}

// A row: state, then five cells for segments of the original side and five for the reply side, each
// in the order SYN, SYN/ACK, FIN, ACK, RST.
struct Row {
  TcpState state;
  std::string_view original, reply;
};

// An entry is in NONE only while its first packet makes it; nothing from the reply side meets it.
// clang-format off
inline constexpr std::array<Row, kTcpStateCount> kRows{{
    {TcpState::kNone,        "SS -- -- ES --", "-- -- -- -- --"},
    {TcpState::kSynSent,     "SS -- -- -- CL", "S2 SR -- .. CL"},
    {TcpState::kSynRecv,     ".. SR FW ES CL", "-- .. FW SR CL"},
    {TcpState::kEstablished, ".. -- FW ES CL", "-- .. FW ES CL"},
    {TcpState::kFinWait,     ".. -- LA CW CL", "-- .. LA CW CL"},
    {TcpState::kCloseWait,   ".. -- LA CW CL", "-- .. LA CW CL"},
    {TcpState::kLastAck,     ".. -- LA TW CL", "-- .. LA TW CL"},
    {TcpState::kTimeWait,    "SS -- TW TW CL", "SS .. TW TW CL"},
    {TcpState::kClose,       "SS -- CL CL CL", "-- .. CL CL CL"},
    {TcpState::kSynSent2,    "S2 SR -- -- CL", "S2 SR -- .. CL"},
}};
// clang-format on

constexpr bool well_formed(std::string_view cells) {
  if (cells.size() != 3 * kTcpSegmentCount - 1) return false;
  for (std::size_t i = 0; i < kTcpSegmentCount; ++i) {
    const auto word = cells.substr(3 * i, 2);
    if (word != "--" && cell(word) == TcpCell{}) return false;
    if (i + 1 < kTcpSegmentCount && cells[3 * i + 2] != ' ') return false;
  }
  return true;
}
constexpr bool complete() {
  for (std::size_t i = 0; i < kTcpStateCount; ++i) {
    if (static_cast<std::size_t>(kRows[i].state) != i) return false;
    if (!well_formed(kRows[i].original) || !well_formed(kRows[i].reply)) return false;
  }
  return true;
}
static_assert(complete(), "every state has ten legible cells, in the order of the enum");

using Table = std::array<std::array<std::array<TcpCell, kTcpSegmentCount>, 2>, kTcpStateCount>;
constexpr Table build() {
  Table table{};
  for (std::size_t s = 0; s < kTcpStateCount; ++s) {
    for (std::size_t k = 0; k < kTcpSegmentCount; ++k) {
      table[s][0][k] = cell(kRows[s].original.substr(3 * k, 2));
      table[s][1][k] = cell(kRows[s].reply.substr(3 * k, 2));
    }
  }
  return table;
}
inline constexpr Table kCells = build();

}  // namespace tcp_table

constexpr const TcpCell& tcp_cell(TcpState state, CtDirection direction, TcpSegment segment) {
  return tcp_table::kCells[static_cast<std::size_t>(state)][static_cast<std::size_t>(direction)]
                          [static_cast<std::size_t>(segment)];
}

}  // namespace postern
