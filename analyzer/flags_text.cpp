// A greedy cover by cubes (mask, value), the largest first: 3^8 of them, so trying all is cheap.
// Covered by tests/unit/flags_text_test.cpp.
#include "analyzer/flags_text.hpp"

#include <algorithm>
#include <bit>
#include <bitset>
#include <vector>

#include "vocabulary/sctp_chunks.hpp"

namespace postern {
namespace {

using FlagSet = std::bitset<256>;

struct Cube {
  std::uint8_t mask, value;
  bool holds(unsigned flags) const { return (flags & mask) == value; }
  FlagSet members() const {
    FlagSet set;
    for (unsigned flags = 0; flags < 256; ++flags) set[flags] = holds(flags);
    return set;
  }
};

// Fewest mask bits (largest cubes) first.
std::vector<Cube> all_cubes() {
  std::vector<Cube> cubes;
  for (unsigned mask = 0; mask < 256; ++mask) {
    for (unsigned value = 0; value < 256; ++value) {
      if ((value & ~mask) == 0) {
        cubes.push_back({static_cast<std::uint8_t>(mask), static_cast<std::uint8_t>(value)});
      }
    }
  }
  std::ranges::stable_sort(cubes, {}, [](const Cube& cube) { return std::popcount(cube.mask); });
  return cubes;
}

// "ALL" is what iptables calls the six flags that it knows.
std::string mask_text(std::uint8_t mask) {
  constexpr std::uint8_t kAll = 0x3f;
  if (mask == kAll) return "ALL";
  return flags_text(mask);
}

}  // namespace

std::string tcp_flags_text(const IntervalList& combinations) {
  FlagSet rest;
  for (const auto& [low, high] : combinations) {
    for (u128 flags = low; flags <= high && flags < 256; ++flags) {
      rest.set(static_cast<std::size_t>(flags));
    }
  }
  const FlagSet wanted = rest;
  if (wanted.all()) return "any";
  if (combinations.size() == 1 && combinations.front().first == combinations.front().second) {
    return flags_text(static_cast<std::uint8_t>(combinations.front().first));
  }
  std::string text;
  for (const Cube& cube : all_cubes()) {
    if (rest.none()) break;
    const FlagSet members = cube.members();
    if ((members & ~wanted).any() || (members & rest).none()) continue;
    rest &= ~members;
    if (!text.empty()) text += " or ";
    text += mask_text(cube.mask) + " " + flags_text(cube.value);
  }
  return text;
}

// Each chunk stands at a multiple of four bytes: type, flags, two bytes of length in network order.
std::string sctp_chunks_text(std::span<const std::uint8_t> chunks) {
  constexpr std::size_t kHeader = 4;
  std::string text;
  while (chunks.size() >= kHeader) {
    const std::string_view name = sctp_chunk_name(chunks[0]);
    if (!text.empty()) text += ",";
    text += name.empty() ? std::to_string(chunks[0]) : std::string(name);
    const std::size_t length = static_cast<std::size_t>(chunks[2] << 8 | chunks[3]);
    const std::size_t padded = (length + 3) / 4 * 4;
    if (length < kHeader || padded >= chunks.size()) break;
    chunks = chunks.subspan(padded);
  }
  return text;
}

}  // namespace postern
