// What the adversary's ends say in SCTP: mostly an association in order, from INIT to SHUTDOWN
// COMPLETE, else any chunks with tags that somebody knows. Used by adversary.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "flow/conntrack_sctp.hpp"
#include "net/protocol.hpp"
#include "scenario/packet.hpp"
#include "tests/support/random_rules.hpp"

namespace postern {

// Who speaks when in the conversation of `connect`: SCTP's takes turns.
inline bool replies(std::uint8_t number, unsigned k) {
  static constexpr std::array kReply{false, true, false, false, true};
  return number == protocol::kSctp ? k % 2 == 1 : kReply[k];
}
inline unsigned conversation_length(std::uint8_t number) {
  return number == protocol::kTcp ? 5U : number == protocol::kSctp ? 6U : 2U;
}

class SctpSpeaker {
 public:
  void speak(kernel::Dice& dice, Packet& p, bool reply) {
    using namespace sctp_chunk;
    static constexpr std::array<std::pair<bool, std::uint8_t>, 9> kOrder{
        {{false, kInit},
         {true, kInitAck},
         {false, kCookieEcho},
         {true, kCookieAck},
         {false, kData},
         {true, kData},
         {true, kShutdown},
         {false, kShutdownAck},
         {true, kShutdownComplete}}};
    begin(p);
    if (next_ < kOrder.size() && kOrder[next_].first == reply && dice.chance(80)) {
      return say(p, kOrder[next_++].second, reply, dice.chance(25));
    }
    if (dice.chance(20)) next_ = dice.below(static_cast<unsigned>(kOrder.size()));
    for (unsigned n = dice.chance(70) ? 1 : 1 + dice.below(4); n > 0; --n) {
      const auto type = dice.of<std::uint8_t>(
          {kData, kInit, kInitAck, kHeartbeat, kHeartbeatAck, kAbort, kShutdown, kShutdownAck,
           kError, kCookieEcho, kCookieAck, kShutdownComplete, kHeartbeat, kAbort, 3, 130});
      say(p, type, reply, false);
      if (dice.chance(25)) p.chunks[last_ + 1] = 1;  // the T flag
    }
    const auto tags = tags_of(reply);
    if (dice.chance(30)) p.verification_tag = dice.of<std::uint32_t>({0, 0, tags.first, 9});
  }

  // The k-th packet of two honest ends.
  void honest(Packet& p, unsigned k) {
    using namespace sctp_chunk;
    static constexpr std::array kSaid{kInit, kInitAck, kCookieEcho, kCookieAck, kData, kData};
    begin(p);
    say(p, kSaid[k], k % 2 == 1, false);
  }

 private:
  // An end's own tag, and the other's.
  static std::pair<std::uint32_t, std::uint32_t> tags_of(bool reply) {
    return reply ? std::pair{7U, 5U} : std::pair{5U, 7U};
  }
  static void begin(Packet& p) {
    p.payload.clear();
    p.chunks.clear();
  }
  void say(Packet& p, std::uint8_t type, bool reply, bool more) {
    using namespace sctp_chunk;
    const auto [own, other] = tags_of(reply);
    const bool init = type == kInit || type == kInitAck;
    if (p.chunks.empty()) p.verification_tag = type == kInit ? 0 : other;
    last_ = p.chunks.size();
    const std::uint8_t length = init ? 20 : type == kData ? 20 : more ? 44 : 4;
    p.chunks.insert(p.chunks.end(), {type, 0, 0, length});
    p.chunks.resize(last_ + length);
    if (init) p.chunks[last_ + 7] = static_cast<std::uint8_t>(own);
  }

  std::size_t next_ = 0, last_ = 0;
};

}  // namespace postern
