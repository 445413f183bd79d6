// Random conversations between the hosts of a scenario: several at once, packet by packet in turn.
// TCP ends walk to a chosen state of the tracker and then do one chosen thing there (that is how
// every cell of the transition tables is met), speak sensibly, or speak nonsense; ports and
// addresses clash; ICMP errors quote what was said, by flows that live and flows that are gone;
// protocols without tracker; fragments; packets that routing kills. Where NAT translates a flow,
// its other end mostly answers to what it was sent. Covered by campaign_test.cpp.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "scenario/result.hpp"
#include "scenario/scenario.hpp"
#include "tests/kernel/support/constants.hpp"
#include "tests/kernel/support/random.hpp"
#include "tests/kernel/support/tcp_walks.hpp"

namespace postern::kernel {

struct AimedPacket {
  Packet packet;
  // The flow (its number in the scenario) whose next step this is; and the cell, when there is one.
  int flow = -1;
  bool begins = false;  // the first packet of a new walk: what came before does not count
  bool reply = false;   // which side of its flow it comes from
  std::optional<TcpCellAim> aim;
};

// What becomes of a packet (the engine's answer), for ends that answer to what reached them.
using Fate = std::function<PacketReport(const Packet&)>;

class Traffic {
 public:
  // `aims`: the cells that walks are for; `drill`: nothing but walks, one after the other.
  Traffic(Random& random, const Constants& constants, const std::vector<TcpCellAim>& aims,
          Fate fate = {}, bool drill = false);
  ~Traffic();
  AimedPacket next();

 private:
  struct Flow;
  const Constants::Host& host() { return random_.pick(constants_.hosts); }
  bool v4() const { return constants_.family == Family::kIpv4; }
  void begin(Flow& flow);
  AimedPacket speak();
  void follow(Flow* flow, bool reply, const Packet& packet);
  Packet blank(const Constants::Host& from, const std::string& to);
  Packet from_side(Flow& flow, int side);
  AimedPacket tcp(Flow& flow);
  AimedPacket walk(Flow& flow);
  Packet segment(Flow& flow, bool reply, std::uint8_t flags, bool in_order);
  Packet udp(Flow& flow, bool reply);
  Packet icmp(Flow& flow, bool reply);
  AimedPacket other(Flow& flow, bool reply);
  Packet error();
  Packet redirect(Packet error);
  Packet odd();
  void decorate(Packet& packet);
  std::vector<std::uint8_t> tcp_options(bool syn);

  Random& random_;
  const Constants& constants_;
  const std::vector<TcpCellAim>& aims_;
  std::size_t next_aim_;  // in turn, so that none is forgotten
  Fate fate_;
  bool drill_;
  std::vector<std::unique_ptr<Flow>> flows_;
  std::vector<Packet> said_, arrived_;  // `arrived_`: as they left or were delivered, `in` by what
  std::uint16_t fragments_ = 100;
};

}  // namespace postern::kernel
