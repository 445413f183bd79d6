// IP reassembly, as far as well-behaved fragments need it: pieces of one datagram by source,
// destination, protocol (IPv4) and identification; complete when they cover it without gaps.
// A piece that has come already is left out; any other overlap drops the queue, as on Linux.
// Covered by tests/unit/engine_view_test.cpp, tests/kernel/engine_cases_test.cpp, found_test.cpp.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "scenario/bytes.hpp"
#include "scenario/packet.hpp"

namespace postern {

class Reassembler {
 public:
  // Takes one fragment; when it completes its datagram, returns that: the first fragment's IP
  // header with all of layer 4, `fragment_size` set to the largest piece's so that it can be cut
  // again.
  std::optional<Packet> add(const Packet& fragment);
  void clear() { queues_.clear(); }

 private:
  struct Key {
    Address source, destination;
    std::uint8_t protocol;
    std::uint32_t id;
    auto operator<=>(const Key&) const = default;
  };
  struct Piece {
    std::uint32_t offset;
    bool last;
    Packet packet;
    Bytes layer4;
    std::uint32_t run = 0;  // where the pieces begin that came one behind the other up to this one
    std::uint32_t end() const { return offset + static_cast<std::uint32_t>(layer4.size()); }
  };
  enum class Fit : std::uint8_t { kNew, kDuplicate, kOverlap };
  static Fit fit(const std::vector<Piece>& queue, const Piece& piece);
  std::map<Key, std::vector<Piece>> queues_;
};

bool is_fragment(const Packet& packet);
// The fragments that `fragment_size` asks for, each as a packet of its own (one, when it is 0).
std::vector<Packet> cut(const Packet& packet);

}  // namespace postern
