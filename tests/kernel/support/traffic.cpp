// Flows and what their ends say. Covered by campaign_test.cpp.
#include "tests/kernel/support/traffic.hpp"

#include <map>

#include "net/protocol.hpp"

namespace postern::kernel {
namespace {

using namespace tcp_flag;

// How to bring a fresh flow into the state of each row: who says what ('o' original, 'r' reply).
struct Step {
  char side;
  std::uint8_t flags;
};
const std::map<std::string, std::vector<Step>>& walks() {
  static const std::vector<Step> kEstablished{{'o', kSyn}, {'r', kSyn | kAck}, {'o', kAck}};
  static const auto kMade = [] {
    const auto then = [](std::vector<Step> more) {
      std::vector<Step> all = kEstablished;
      all.insert(all.end(), more.begin(), more.end());
      return all;
    };
    constexpr std::uint8_t kFinAck = kFin | kAck;
    return std::map<std::string, std::vector<Step>>{
        {"NONE", {}},
        {"SYN_SENT", {{'o', kSyn}}},
        {"SYN_RECV", {{'o', kSyn}, {'r', kSyn | kAck}}},
        {"ESTABLISHED", kEstablished},
        {"FIN_WAIT", then({{'o', kFinAck}})},
        {"CLOSE_WAIT", then({{'o', kFinAck}, {'r', kAck}})},
        {"LAST_ACK", then({{'o', kFinAck}, {'r', kAck}, {'r', kFinAck}})},
        {"TIME_WAIT", then({{'o', kFinAck}, {'r', kAck}, {'r', kFinAck}, {'o', kAck}})},
        {"CLOSE(o-rst)", then({{'o', kRst}})},
        {"CLOSE(r-rst)", then({{'r', kRst}})},
        {"SYN_SENT2", {{'o', kSyn}, {'r', kSyn}}},
        {"SYN_RECV(sim)", {{'o', kSyn}, {'r', kSyn}, {'o', kSyn | kAck}}},
        {"FIN_WAIT(r)", then({{'r', kFinAck}})},
        {"CLOSE_WAIT(r)", then({{'r', kFinAck}, {'o', kAck}})},
        {"LAST_ACK(r)", then({{'r', kFinAck}, {'o', kAck}, {'o', kFinAck}})},
        {"TIME_WAIT(r)", then({{'r', kFinAck}, {'o', kAck}, {'o', kFinAck}, {'r', kAck}})},
        {"pickup", {{'o', kAck}}},
    };
  }();
  return kMade;
}

std::uint8_t flags_of_column(const std::string& column) {
  if (column == "SYN" || column == "SYN+new") return kSyn;
  if (column == "SYN,ACK") return kSyn | kAck;
  if (column == "ACK") return kAck;
  if (column == "FIN,ACK") return kFin | kAck;
  return column == "RST" ? kRst : kRst | kAck;
}

void put(std::vector<std::uint8_t>& to, std::initializer_list<std::uint8_t> bytes) {
  to.insert(to.end(), bytes);
}

}  // namespace

const std::vector<std::string>& tcp_rows() {
  static const auto kRows = [] {
    std::vector<std::string> names;
    for (const auto& [name, steps] : walks()) names.push_back(name);
    return names;
  }();
  return kRows;
}
const std::vector<std::string>& tcp_columns() {
  static const std::vector<std::string> kColumns{"SYN",     "SYN+new", "SYN,ACK", "ACK",
                                                 "FIN,ACK", "RST",     "RST,ACK"};
  return kColumns;
}

struct Traffic::Flow {
  int number = 0;
  std::uint8_t protocol = 6;
  Constants::Host end[2];
  std::uint16_t port[2] = {0, 0};
  std::uint32_t isn[2] = {0, 0}, next[2] = {0, 0};
  std::uint16_t id = 1;
  unsigned said = 0;
  bool walks = false;  // on the way to `aim`, step `at` of its walk comes next
  std::size_t at = 0;
  TcpCellAim aim;
};

Traffic::~Traffic() = default;

Traffic::Traffic(Random& random, const Constants& constants)
    : random_(random), constants_(constants) {
  for (int i = 0; i < 6; ++i) {
    flows_.push_back(std::make_unique<Flow>());
    flows_.back()->number = i;
    begin(*flows_.back());
  }
}

// A new conversation; often with what is left of the old one's addresses and ports.
void Traffic::begin(Flow& flow) {
  const std::vector<std::uint8_t> protocols{6,
                                            6,
                                            6,
                                            6,
                                            6,
                                            6,
                                            6,
                                            17,
                                            17,
                                            17,
                                            v4() ? std::uint8_t{1} : std::uint8_t{58},
                                            v4() ? std::uint8_t{1} : std::uint8_t{58},
                                            47,
                                            132,
                                            253,
                                            136};
  const bool again = flow.said > 0 && random_.chance(40);
  if (!again) {
    flow.protocol = random_.pick(protocols);
    do {
      flow.end[0] = host();
      flow.end[1] = host();
      // Loopback addresses are spoken to from the router only.
    } while ((flow.end[0].address == constants_.hosts.back().address) !=
             (flow.end[1].address == constants_.hosts.back().address));
    flow.port[0] = random_.pick(constants_.ports);
    flow.port[1] = random_.pick(constants_.ports);
    flow.id = static_cast<std::uint16_t>(1 + random_.below(3));
  } else if (random_.chance(30)) {
    std::swap(flow.end[0], flow.end[1]);
  } else if (random_.chance(40)) {
    flow.port[random_.below(2)] = random_.pick(constants_.ports);
  }
  for (int side = 0; side < 2; ++side) {
    flow.isn[side] = static_cast<std::uint32_t>(random_.below(8)) * 1'000'000 + 1000;
    flow.next[side] = flow.isn[side];
  }
  flow.said = 0;
  flow.at = 0;
  flow.walks = flow.protocol == protocol::kTcp && random_.chance(75);
  if (flow.walks) {
    flow.aim = {random_.pick(tcp_rows()), random_.chance(50), random_.pick(tcp_columns())};
  }
}

Packet Traffic::blank(const Constants::Host& from, const Constants::Host& to) {
  Packet packet;
  packet.source = *Address::parse(from.address);
  packet.destination = *Address::parse(to.address);
  packet.in = from.device;
  // Seldom from where it should not come (never as if from the router: that is a local packet).
  if (!packet.in.empty() && random_.chance(2)) {
    const std::string& device = random_.pick(constants_.hosts).device;
    if (!device.empty()) packet.in = device;
  }
  return packet;
}

Packet Traffic::segment(Flow& flow, bool reply, std::uint8_t flags, bool in_order) {
  const int me = reply ? 1 : 0;
  Packet packet = blank(flow.end[me], flow.end[1 - me]);
  packet.protocol = protocol::kTcp;
  packet.source_port = flow.port[me];
  packet.destination_port = flow.port[1 - me];
  packet.flags = flags;
  if ((flags & kSyn) == 0 && flow.next[me] == flow.isn[me]) ++flow.next[me];
  packet.seq = (flags & kSyn) != 0 ? flow.isn[me] : flow.next[me];
  packet.ack = (flags & kAck) != 0 ? flow.next[1 - me] : 0;
  packet.window = 65535;
  if (in_order) {
    if ((flags & (kSyn | kFin)) != 0) flow.next[me] = packet.seq + 1;
    return packet;
  }
  if (random_.chance(30)) {
    const std::vector<std::uint32_t> far{1, 2, 65534, 65535, 65536, 131069, 131070, 200000};
    const std::uint32_t by = random_.pick(far);
    packet.seq += random_.chance(50) ? by : 0 - by;
  }
  if (random_.chance(15)) packet.ack += random_.chance(50) ? 1 : 0 - 70000u;
  if (random_.chance(20)) packet.window = static_cast<std::uint16_t>(random_.below(3000));
  if (random_.chance(20)) packet.payload.assign(1 + random_.below(40), 0x61);
  if (random_.chance(25)) packet.options = tcp_options((flags & kSyn) != 0);
  if (random_.chance(8)) packet.flags |= random_.chance(50) ? kPsh : kEce;
  if (random_.chance(3)) packet.flags |= kUrg;
  if ((flags & (kSyn | kFin)) != 0) {
    flow.next[me] = packet.seq + 1;
  } else {
    flow.next[me] += static_cast<std::uint32_t>(packet.payload.size());
  }
  return packet;
}

std::vector<std::uint8_t> Traffic::tcp_options(bool syn) {
  std::vector<std::uint8_t> options;
  if (random_.chance(40)) put(options, {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2});
  if (!syn) return options;
  if (random_.chance(60)) put(options, {2, 4, 5, 180});
  if (random_.chance(40)) put(options, {1, 1, 4, 2});
  if (random_.chance(40)) {
    put(options, {1, 3, 3, static_cast<std::uint8_t>(random_.below(16))});
  }
  return options;
}

// One step on the way to the cell, then the packet that meets it; then the flow speaks freely.
AimedPacket Traffic::walk(Flow& flow) {
  const auto& steps = walks().at(flow.aim.row);
  AimedPacket made;
  made.flow = flow.number;
  made.begins = flow.at == 0;
  if (flow.at < steps.size()) {
    const Step& step = steps[flow.at++];
    made.packet = segment(flow, step.side == 'r', step.flags, true);
    return made;
  }
  flow.walks = false;
  if (flow.aim.column == "SYN+new") {
    flow.isn[flow.aim.reply ? 1 : 0] += 5'000'000;
    made.packet = segment(flow, flow.aim.reply, kSyn, true);
  } else {
    made.packet = segment(flow, flow.aim.reply, flags_of_column(flow.aim.column), true);
  }
  made.aim = flow.aim;
  return made;
}

AimedPacket Traffic::tcp(Flow& flow) {
  if (flow.walks) return walk(flow);
  const std::vector<std::uint8_t> sensible{kAck,        kAck,        kAck | kPsh, kSyn,
                                           kSyn | kAck, kFin | kAck, kRst,        kRst | kAck};
  const std::vector<std::uint8_t> wild{0,           kFin,
                                       kUrg,        kSyn | kFin,
                                       kSyn | kRst, kSyn | kUrg,
                                       kAck | kUrg, kFin | kAck | kUrg,
                                       0xff,        kFin | kPsh | kUrg};
  const std::uint8_t flags = random_.pick(random_.chance(8) ? wild : sensible);
  AimedPacket made;
  made.packet = segment(flow, random_.chance(50), flags, random_.chance(40));
  return made;
}

Packet Traffic::udp(Flow& flow) {
  const int me = random_.chance(45) ? 1 : 0;
  Packet packet = blank(flow.end[me], flow.end[1 - me]);
  packet.protocol = flow.protocol;
  packet.source_port = flow.port[me];
  packet.destination_port = flow.port[1 - me];
  packet.payload.assign(random_.below(60), 0x62);
  return packet;
}

Packet Traffic::icmp(Flow& flow) {
  const int me = random_.chance(45) ? 1 : 0;
  Packet packet = blank(flow.end[me], flow.end[1 - me]);
  packet.protocol = flow.protocol;
  packet.type = static_cast<std::uint8_t>(v4() ? (me == 1 ? 0 : 8) : 128 + me);
  if (random_.chance(12)) {
    const std::vector<std::uint8_t> odd4{13, 14, 15, 16, 17, 18, 9, 10, 42};
    const std::vector<std::uint8_t> odd6{133, 134, 135, 136, 137, 139, 140, 143, 144, 151};
    packet.type = random_.pick(v4() ? odd4 : odd6);
  }
  if (random_.chance(5)) packet.code = 1;
  packet.icmp_id = flow.id;
  packet.icmp_seq = static_cast<std::uint16_t>(flow.said);
  packet.payload.assign(random_.below(30), 0x63);
  return packet;
}

Packet Traffic::other(Flow& flow) {
  Packet packet = udp(flow);
  packet.payload.assign(8 + random_.below(20), 0x33);
  if (packet.protocol == protocol::kSctp) {
    const std::vector<std::uint8_t> chunks{1, 2, 10, 11, 0, 3, 4, 6, 7, 8, 14};
    packet.verification_tag = random_.chance(60) ? 7 : static_cast<std::uint32_t>(random_.below(2));
    const std::uint8_t type = random_.pick(chunks);
    packet.payload.clear();
    packet.chunks = {type, 0, 0, static_cast<std::uint8_t>(type == 1 || type == 2 ? 20 : 4)};
    if (type == 1 || type == 2) {
      put(packet.chunks, {0, 0, 0, 7, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 9});
      packet.verification_tag = type == 1 ? 0 : 7;
    }
  } else if (packet.protocol != protocol::kUdplite) {
    packet.source_port = packet.destination_port = 0;
  }
  return packet;
}

// About something that was said, to who said it (or to someone else); the flow may be gone by now.
Packet Traffic::error() {
  const Packet& about = random_.pick(said_);
  const std::vector<std::pair<int, int>> kinds4{{3, 1}, {3, 3}, {3, 13}, {11, 0},
                                                {4, 0}, {5, 1}, {12, 0}};
  const std::vector<std::pair<int, int>> kinds6{{1, 4}, {1, 0}, {3, 0}, {2, 0}, {4, 1}};
  const auto [type, code] = random_.pick(v4() ? kinds4 : kinds6);
  Constants::Host from = host();
  for (const Constants::Host& one : constants_.hosts) {
    if (one.address == about.destination.text() && random_.chance(60)) from = one;
  }
  Packet packet = blank(from, from);
  packet.destination = random_.chance(90) ? about.source : *Address::parse(host().address);
  packet.protocol = v4() ? protocol::kIcmp : protocol::kIcmpv6;
  packet.type = static_cast<std::uint8_t>(type);
  packet.code = static_cast<std::uint8_t>(code);
  Packet inner = about;
  inner.in.clear();
  inner.fragment_size = 0;
  inner.bad_checksum = false;
  packet.inner = std::make_shared<const Packet>(std::move(inner));
  return packet;
}

// What routing kills, or answers by itself. The unreachable ones come from ever new addresses: the
// kernel allows each source a few errors only.
Packet Traffic::odd() {
  using Pair = std::pair<std::string, std::string>;
  const Pair unreachable =
      v4() ? Pair{"10." + std::to_string(random_.below(256)) + "." +
                      std::to_string(random_.below(256)) + ".7",
                  "203.0.113.200"}
           : Pair{"2001:db8:1::" + std::to_string(1000 + random_.below(8999)), "2001:db8:8::1"};
  const std::vector<Pair> pairs4{{"127.0.0.1", "192.0.2.1"},   {"192.0.2.9", "127.0.0.1"},
                                 {"192.0.2.9", "192.0.2.255"}, {"198.51.100.1", "192.0.2.1"},
                                 {"192.0.2.9", "224.0.0.9"},   {"0.0.0.0", "255.255.255.255"},
                                 {"224.0.0.1", "192.0.2.1"},   {"192.0.2.9", "224.0.0.1"}};
  const std::vector<Pair> pairs6{{"::1", "2001:db8:1::1"},
                                 {"2001:db8:1::9", "::1"},
                                 {"2001:db8:2::1", "2001:db8:1::1"},
                                 {"fe80::9", "2001:db8:2::9"},
                                 {"::", "2001:db8:1::1"}};
  const Pair pair = random_.chance(20) ? unreachable : random_.pick(v4() ? pairs4 : pairs6);
  Packet packet;
  packet.in = "eth0";
  packet.source = *Address::parse(pair.first);
  packet.destination = *Address::parse(pair.second);
  packet.protocol = protocol::kUdp;
  packet.source_port = random_.pick(constants_.ports);
  packet.destination_port = random_.pick(constants_.ports);
  return packet;
}

void Traffic::decorate(Packet& packet) {
  if (random_.chance(2)) packet.bad_checksum = true;
  if (random_.chance(3)) packet.ttl = static_cast<std::uint8_t>(random_.below(3));
  if (random_.chance(10)) packet.tos = static_cast<std::uint8_t>(4 * random_.below(48));
  if (packet.local() && random_.chance(10)) {
    packet.mark = static_cast<std::uint32_t>(random_.below(8));
  }
  const bool plain = packet.protocol != protocol::kTcp && !packet.local() && !packet.inner;
  if (plain && packet.chunks.empty() && random_.chance(4)) {
    packet.payload.assign(60 + random_.below(60), 0x61);
    packet.fragment_size = static_cast<std::uint16_t>(random_.chance(50) ? 24 : 48);
    packet.ip_id = ++fragments_;
  }
}

AimedPacket Traffic::next() {
  AimedPacket made;
  Flow& flow = *flows_[random_.below(flows_.size())];
  if (!said_.empty() && random_.chance(7)) {
    made.packet = error();
    return made;
  }
  if (random_.chance(2)) {
    made.packet = odd();
    return made;
  }
  const bool walking = flow.walks;
  if (!walking && flow.said > 3 && random_.chance(flow.protocol == protocol::kTcp ? 60 : 15)) {
    begin(flow);
  }
  switch (flow.protocol) {
    case protocol::kTcp:
      made = tcp(flow);
      break;
    case protocol::kUdp:
      made.packet = udp(flow);
      break;
    case protocol::kIcmp:
    case protocol::kIcmpv6:
      made.packet = icmp(flow);
      break;
    default:
      made.packet = other(flow);
  }
  ++flow.said;
  if (made.flow < 0) decorate(made.packet);
  said_.push_back(made.packet);
  return made;
}

}  // namespace postern::kernel
