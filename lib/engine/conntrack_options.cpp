// Reading TCP options as the tracker does: it stops at the first one that makes no sense, and takes
// what it has read until then.
#include <algorithm>

#include "engine/conntrack_window.hpp"

namespace postern {
namespace {

constexpr std::uint8_t kEnd = 0, kNop = 1, kWindowScale = 3, kSackPermitted = 4, kSack = 5;
constexpr std::uint8_t kMaxScale = 14;
constexpr std::size_t kSackBlock = 8;

// Calls visit(kind, body) for each well-formed option until it returns false.
template <class Visit>
void for_each_option(std::span<const std::uint8_t> bytes, Visit visit) {
  std::size_t at = 0;
  while (at < bytes.size() && bytes[at] != kEnd) {
    if (bytes[at] == kNop) {
      ++at;
      continue;
    }
    if (bytes.size() - at < 2) return;
    const std::size_t length = bytes[at + 1];
    if (length < 2 || length > bytes.size() - at) return;
    if (!visit(bytes[at], bytes.subspan(at + 2, length - 2))) return;
    at += length;
  }
}

std::uint32_t big_endian(std::span<const std::uint8_t> bytes) {
  std::uint32_t value = 0;
  for (const auto byte : bytes) value = (value << 8) | byte;
  return value;
}

}  // namespace

SynOptions syn_options(std::span<const std::uint8_t> options) {
  SynOptions found;
  found.any = !options.empty();
  for_each_option(options, [&](std::uint8_t kind, std::span<const std::uint8_t> body) {
    if (kind == kSackPermitted && body.empty()) {
      found.sack_permitted = true;
    } else if (kind == kWindowScale && body.size() == 1) {
      found.window_scale = true;
      found.scale = std::min(body[0], kMaxScale);
    }
    return true;
  });
  return found;
}

std::uint32_t highest_sack(std::span<const std::uint8_t> options, std::uint32_t ack) {
  std::uint32_t highest = ack;
  for_each_option(options, [&](std::uint8_t kind, std::span<const std::uint8_t> body) {
    if (kind != kSack || body.empty() || body.size() % kSackBlock != 0) return true;
    for (std::size_t block = 0; block < body.size(); block += kSackBlock) {
      const std::uint32_t right = big_endian(body.subspan(block + 4, 4));
      if (seq_after(right, highest)) highest = right;
    }
    return false;  // the first SACK option counts
  });
  return highest;
}

void learn_options(TcpSide& side, const SynOptions& options) {
  if (!options.any) return;
  side.scale = options.scale;
  side.window_scale = options.window_scale;
  side.sack_permitted = options.sack_permitted;
  side.close_init = side.data_unacknowledged = side.max_ack_set = false;
}

}  // namespace postern
