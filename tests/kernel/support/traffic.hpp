// Random conversations between the hosts of a scenario: several at once, packet by packet in turn.
// TCP ends walk to a chosen state of the tracker and then do one chosen thing there (that is how
// every cell of the transition tables is met), speak sensibly, or speak nonsense; ports and
// addresses clash; ICMP errors quote what was said, by flows that live and flows that are gone;
// protocols without tracker; fragments; packets that routing kills. Covered by campaign_test.cpp.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "scenario/scenario.hpp"
#include "tests/kernel/support/constants.hpp"
#include "tests/kernel/support/random.hpp"

namespace postern::kernel {

// A cell of the transition tables in kernel-facts, that a packet is meant to meet.
struct TcpCellAim {
  std::string row;     // "SYN_RECV(sim)"
  bool reply = false;  // which side sends the packet
  std::string column;  // "SYN", "SYN+new", "SYN,ACK", "ACK", "FIN,ACK", "RST", "RST,ACK"
  auto operator<=>(const TcpCellAim&) const = default;
};
const std::vector<std::string>& tcp_rows();
const std::vector<std::string>& tcp_columns();

struct AimedPacket {
  Packet packet;
  // The flow (its number in the scenario) whose next step this is; and the cell, when there is one.
  int flow = -1;
  bool begins = false;  // the first packet of a new walk: what came before does not count
  std::optional<TcpCellAim> aim;
};

class Traffic {
 public:
  Traffic(Random& random, const Constants& constants);
  ~Traffic();
  AimedPacket next();

 private:
  struct Flow;
  const Constants::Host& host() { return random_.pick(constants_.hosts); }
  bool v4() const { return constants_.family == Family::kIpv4; }
  void begin(Flow& flow);
  Packet blank(const Constants::Host& from, const Constants::Host& to);
  AimedPacket tcp(Flow& flow);
  AimedPacket walk(Flow& flow);
  Packet segment(Flow& flow, bool reply, std::uint8_t flags, bool in_order);
  Packet udp(Flow& flow);
  Packet icmp(Flow& flow);
  Packet other(Flow& flow);
  Packet error();
  Packet odd();
  void decorate(Packet& packet);
  std::vector<std::uint8_t> tcp_options(bool syn);

  Random& random_;
  const Constants& constants_;
  std::vector<std::unique_ptr<Flow>> flows_;
  std::vector<Packet> said_;
  std::uint16_t fragments_ = 100;
};

}  // namespace postern::kernel
