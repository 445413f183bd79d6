// The words of an address are those that a little-endian machine reads from the wire: the hash, and
// so the choice, is that of such a machine.
#include "engine/nat_address.hpp"

#include <array>
#include <bit>

namespace postern {
namespace {

constexpr std::size_t kWords = 4;

std::uint32_t swap(std::uint32_t word) {
  return (word >> 24) | ((word >> 8) & 0xff00) | ((word << 8) & 0xff0000) | (word << 24);
}

// The 32-bit parts of an address in network order, each as a number: one for IPv4.
std::array<std::uint32_t, kWords> parts(u128 address, Family family) {
  if (family == Family::kIpv4) return {static_cast<std::uint32_t>(address), 0, 0, 0};
  return {static_cast<std::uint32_t>(address >> 96), static_cast<std::uint32_t>(address >> 64),
          static_cast<std::uint32_t>(address >> 32), static_cast<std::uint32_t>(address)};
}

u128 joined(const std::array<std::uint32_t, kWords>& words, Family family) {
  if (family == Family::kIpv4) return words[0];
  u128 address = 0;
  for (const std::uint32_t word : words) address = (address << 32) | word;
  return address;
}

// A hash spread evenly over `count` values (reciprocal_scale).
std::uint32_t scale(std::uint32_t hash, std::uint32_t count) {
  return static_cast<std::uint32_t>((std::uint64_t{hash} * count) >> 32);
}

struct Jenkins {
  std::uint32_t a, b, c;
  void mix() {
    step(a, c, b, 4);
    step(b, a, c, 6);
    step(c, b, a, 8);
    step(a, c, b, 16);
    step(b, a, c, 19);
    step(c, b, a, 4);
  }
  void finish() {
    fold(c, b, 14);
    fold(a, c, 11);
    fold(b, a, 25);
    fold(c, b, 16);
    fold(a, c, 4);
    fold(b, a, 14);
    fold(c, b, 24);
  }

 private:
  static void step(std::uint32_t& x, std::uint32_t& y, std::uint32_t z, int turn) {
    x -= y;
    x ^= std::rotl(y, turn);
    y += z;
  }
  static void fold(std::uint32_t& x, std::uint32_t y, int turn) {
    x ^= y;
    x -= std::rotl(y, turn);
  }
};

}  // namespace

std::uint32_t hash_words(const std::uint32_t* words, std::size_t count, std::uint32_t seed) {
  const std::uint32_t start = 0xdeadbeef + static_cast<std::uint32_t>(count * 4) + seed;
  Jenkins state{start, start, start};
  for (; count > 3; count -= 3, words += 3) {
    state.a += words[0];
    state.b += words[1];
    state.c += words[2];
    state.mix();
  }
  if (count == 0) return state.c;
  if (count > 2) state.c += words[2];
  if (count > 1) state.b += words[1];
  state.a += words[0];
  state.finish();
  return state.c;
}

void choose_address(CtTuple& tuple, Manip manip, const NatRange& range, std::uint16_t zone) {
  if (!range.addresses) return;
  const auto [low_address, high_address] = *range.addresses;
  u128& chosen = manip == Manip::kSource ? tuple.source : tuple.destination;
  if (low_address == high_address) {
    chosen = low_address;
    return;
  }
  const std::size_t count = tuple.family == Family::kIpv4 ? 1 : kWords;
  auto source = parts(tuple.source, tuple.family);
  for (std::uint32_t& word : source) word = swap(word);
  auto destination = parts(tuple.destination, tuple.family);
  const std::uint32_t seed = range.persistent ? 0 : swap(destination[count - 1]) ^ zone;
  std::uint32_t hash = hash_words(source.data(), kWords, seed);
  const auto low = parts(low_address, tuple.family), high = parts(high_address, tuple.family);
  auto words = parts(chosen, tuple.family);
  bool free = false;  // an earlier part is below the range's end: this one may be anything
  for (std::size_t i = 0; i < count; ++i) {
    words[i] = free ? scale(hash, 0xffffffff) : low[i] + scale(hash, high[i] - low[i] + 1);
    free = free || words[i] != high[i];
    // When the destination is what changes, its new part goes into the hash of the next one.
    if (!range.persistent) {
      hash ^= swap(manip == Manip::kDestination ? words[i] : destination[i]);
    }
  }
  chosen = joined(words, tuple.family);
}

}  // namespace postern
