// Flows and what their ends say. Covered by campaign_test.cpp.
#include "tests/kernel/support/traffic.hpp"

#include "flow/odd_headers.hpp"
#include "net/protocol.hpp"
#include "scenario/serialise.hpp"
#include "tests/kernel/support/other_traffic.hpp"

namespace postern::kernel {
namespace {

using namespace tcp_flag;

void put(std::vector<std::uint8_t>& to, std::initializer_list<std::uint8_t> bytes) {
  to.insert(to.end(), bytes);
}

}  // namespace

struct Traffic::Flow {
  // Itself and the other end as this side knows them: NAT makes the two views differ.
  struct Side {
    Constants::Host me;
    std::string peer;
    std::uint16_t port = 0, peer_port = 0, id = 1;
  };
  int number = 0;
  std::uint8_t protocol = 6;
  Side side[2];
  std::uint32_t isn[2] = {0, 0}, next[2] = {0, 0};
  unsigned said = 0;
  bool follows = true;  // answers go to where the packets seem to come from
  bool walks = false;   // on the way to `aim`, step `at` of its walk comes next
  std::size_t at = 0;
  TcpCellAim aim;
};

Traffic::~Traffic() = default;

Traffic::Traffic(Random& random, const Constants& constants, const std::vector<TcpCellAim>& aims,
                 Fate fate, bool drill)
    : random_(random),
      constants_(constants),
      aims_(aims),
      next_aim_(random.below(aims.size())),
      fate_(std::move(fate)),
      drill_(drill) {
  for (int i = 0; i < 6; ++i) {
    flows_.push_back(std::make_unique<Flow>());
    flows_.back()->number = i;
    begin(*flows_.back());
  }
}

// A new conversation; often with what is left of the old one's addresses and ports.
void Traffic::begin(Flow& flow) {
  const auto ping = static_cast<std::uint8_t>(v4() ? protocol::kIcmp : protocol::kIcmpv6);
  const std::uint8_t nothing = v4() ? 253 : kNoNextHeader;
  const std::uint8_t options = v4() ? 253 : 60;
  const auto ah = v4() ? std::uint8_t{protocol::kAh} : ping;
  const std::vector<std::uint8_t> protocols{6,  6,  6,    6,    6,  6,  6,   6,       6,      17,
                                            17, 17, ping, ping, 47, 47, 132, 132,     253,    136,
                                            33, 33, 33,   50,   50, ah, ah,  nothing, options};
  const bool again = flow.said > 0 && random_.chance(drill_ ? 15 : 40);
  Flow::Side &first = flow.side[0], &second = flow.side[1];
  if (!again) {
    flow.protocol = drill_ ? std::uint8_t{protocol::kTcp} : random_.pick(protocols);
    do {
      first.me = host();
      second.me = host();
      // Loopback addresses are spoken to from the router only.
    } while ((first.me.address == constants_.hosts.back().address) !=
             (second.me.address == constants_.hosts.back().address));
    first.port = random_.pick(constants_.ports);
    second.port = random_.pick(constants_.ports);
    first.id = second.id = static_cast<std::uint16_t>(1 + random_.below(3));
  } else if (random_.chance(30)) {
    std::swap(first, second);
  } else if (random_.chance(40)) {
    flow.side[random_.below(2)].port = random_.pick(constants_.ports);
  } else if (random_.chance(50)) {
    second.me = {first.peer, second.me.device};  // what the first end called it
    second.port = first.peer_port;
  }
  for (const int one : {0, 1}) {
    flow.side[one].peer = flow.side[1 - one].me.address;
    flow.side[one].peer_port = flow.side[1 - one].port;
    flow.isn[one] = static_cast<std::uint32_t>(random_.below(8)) * 1'000'000 + 1000;
    flow.next[one] = flow.isn[one];
  }
  flow.said = 0;
  flow.at = 0;
  flow.follows = random_.chance(88);
  const bool tcp = flow.protocol == protocol::kTcp;
  const bool states = tcp || flow.protocol == protocol::kSctp;
  flow.walks = states && (drill_ || random_.chance(85));
  if (flow.walks && tcp) flow.aim = aims_[next_aim_++ % aims_.size()];
}

Packet Traffic::blank(const Constants::Host& from, const std::string& to) {
  Packet packet;
  packet.source = *Address::parse(from.address);
  packet.destination = *Address::parse(to);
  packet.in = from.device;
  // Seldom from where it should not come (never as if from the router: that is a local packet).
  if (!packet.in.empty() && random_.chance(2)) {
    const std::string& device = random_.pick(constants_.hosts).device;
    if (!device.empty()) packet.in = device;
  }
  return packet;
}

Packet Traffic::from_side(Flow& flow, int side) {
  const Flow::Side& me = flow.side[side];
  Packet packet = blank(me.me, me.peer);
  packet.protocol = flow.protocol;
  packet.source_port = me.port;
  packet.destination_port = me.peer_port;
  return packet;
}

// The packet reached somebody: from now on this is the other end, and that is how it knows the one
// that spoke.
void Traffic::follow(Flow* flow, bool reply, const Packet& packet) {
  if (!fate_) return;
  const PacketReport report = fate_(packet);
  const bool here = !report.delivered.empty();
  if (!here && report.out.empty()) return;
  Packet seen = here ? report.delivered.front() : report.out.front().first;
  seen.in = here ? "" : report.out.front().second;
  seen.mark = 0;
  if (seen.in == "lo") return;
  if (!seen.inner && !seen.raw && !seen.raw_l4) arrived_.push_back(seen);
  if (flow == nullptr || !flow->follows || seen.protocol != flow->protocol) return;
  Flow::Side& other = flow->side[reply ? 0 : 1];
  other.me = {seen.destination.text(), seen.in};
  other.peer = seen.source.text();
  if (packet.fragment_size != 0) return;
  other.port = seen.destination_port;
  other.peer_port = seen.source_port;
  other.id = seen.icmp_id;
}

Packet Traffic::segment(Flow& flow, bool reply, std::uint8_t flags, bool in_order) {
  const int me = reply ? 1 : 0;
  Packet packet = from_side(flow, me);
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
  const auto& steps = tcp_walks().at(flow.aim.row);
  AimedPacket made;
  made.flow = flow.number;
  made.begins = flow.at == 0;
  if (flow.at < steps.size()) {
    const TcpStep& step = steps[flow.at++];
    made.reply = step.side == 'r';
    made.packet = segment(flow, made.reply, step.flags, true);
    return made;
  }
  flow.walks = false;
  made.reply = flow.aim.reply;
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
  made.reply = random_.chance(50);
  made.packet = segment(flow, made.reply, flags, random_.chance(40));
  return made;
}

Packet Traffic::udp(Flow& flow, bool reply) {
  Packet packet = from_side(flow, reply ? 1 : 0);
  packet.payload.assign(random_.below(60), 0x62);
  return packet;
}

Packet Traffic::icmp(Flow& flow, bool reply) {
  const int me = reply ? 1 : 0;
  Packet packet = from_side(flow, me);
  packet.source_port = packet.destination_port = 0;
  packet.type = static_cast<std::uint8_t>(v4() ? (me == 1 ? 0 : 8) : 128 + me);
  if (random_.chance(12)) {
    const std::vector<std::uint8_t> odd4{13, 14, 15, 16, 17, 18, 9, 10, 42};
    const std::vector<std::uint8_t> odd6{133, 134, 135, 136, 137, 139, 140, 143, 144, 151};
    packet.type = random_.pick(v4() ? odd4 : odd6);
  }
  if (random_.chance(5)) packet.code = 1;
  packet.icmp_id = flow.side[me].id;
  packet.icmp_seq = static_cast<std::uint16_t>(flow.said);
  packet.payload.assign(random_.below(30), 0x63);
  return packet;
}

AimedPacket Traffic::other(Flow& flow, bool reply) {
  AimedPacket made;
  made.reply = reply;
  std::optional<std::uint8_t> chunk;
  if (flow.walks) {
    const auto& steps = association();
    made.reply = steps[flow.at].side == 'r';
    chunk = steps[flow.at].chunk;
    flow.walks = ++flow.at < steps.size();
  }
  made.packet = from_side(flow, made.reply ? 1 : 0);
  speak_other(random_, chunk, made.packet);
  return made;
}

// About something that was said, or that arrived somewhere, to who said it (or to someone else);
// the flow may be gone by now.
Packet Traffic::error() {
  const bool received = !arrived_.empty() && random_.chance(60);
  const Packet& about = random_.pick(received ? arrived_ : said_);
  const std::vector<std::pair<int, int>> kinds4{{3, 1}, {3, 3}, {3, 13}, {11, 0},
                                                {4, 0}, {5, 1}, {12, 0}};
  const std::vector<std::pair<int, int>> kinds6{{1, 4}, {1, 0}, {3, 0}, {2, 0}, {4, 1}};
  const auto [type, code] = random_.pick(v4() ? kinds4 : kinds6);
  Constants::Host from = host();
  for (const Constants::Host& one : constants_.hosts) {
    if (one.address == about.destination.text() && random_.chance(60)) from = one;
  }
  if (received && random_.chance(80)) from = {about.destination.text(), about.in};
  Packet packet = blank(from, from.address);
  packet.destination = random_.chance(90) ? about.source : *Address::parse(host().address);
  packet.protocol = v4() ? protocol::kIcmp : protocol::kIcmpv6;
  packet.type = static_cast<std::uint8_t>(type);
  packet.code = static_cast<std::uint8_t>(code);
  Packet inner = about;
  inner.in.clear();
  inner.fragment_size = 0;
  inner.bad_checksum = false;
  packet.inner = std::make_shared<const Packet>(std::move(inner));
  if (!v4() && random_.chance(25)) return redirect(std::move(packet));
  return packet;
}

// The same as a redirect of IPv6 says it; a few are of no use.
Packet Traffic::redirect(Packet error) {
  Bytes quoted = to_bytes(*error.inner);
  quoted.resize(std::min<std::size_t>(quoted.size(), 48 + random_.below(30)));
  error.inner.reset();
  error.type = kIcmpv6Redirect;
  error.code = random_.chance(95) ? 0 : 1;
  error.ttl = random_.chance(95) ? 255 : 64;
  put_address(error.payload, error.source);
  put_address(error.payload, error.destination);
  constexpr std::uint8_t kPrefix = 3;
  error.payload.push_back(random_.chance(95) ? kRedirectedHeader : kPrefix);
  error.payload.push_back(random_.chance(95) ? 9 : 0);
  error.payload.resize(error.payload.size() + 6);
  error.payload.insert(error.payload.end(), quoted.begin(), quoted.end());
  if (!error.in.empty() && random_.chance(90)) error.source = *Address::parse("fe80::9");
  return error;
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
  packet.in = constants_.interfaces[1].name;
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
  const bool plain = packet.protocol != protocol::kTcp && !packet.local() && !packet.inner &&
                     !packet.raw_l4 && packet.type != kIcmpv6Redirect;
  if (plain && packet.chunks.empty() && random_.chance(4)) {
    packet.payload.assign(60 + random_.below(60), 0x61);
    packet.fragment_size = static_cast<std::uint16_t>(random_.chance(50) ? 24 : 48);
    packet.ip_id = ++fragments_;
  }
}

AimedPacket Traffic::next() {
  AimedPacket made;
  if (!said_.empty() && random_.chance(drill_ ? 2 : 7)) {
    made.packet = error();
    follow(nullptr, false, made.packet);
    return made;
  }
  if (!drill_ && random_.chance(2)) {
    made.packet = odd();
    follow(nullptr, false, made.packet);
    return made;
  }
  return speak();
}

AimedPacket Traffic::speak() {
  AimedPacket made;
  Flow& flow = *flows_[random_.below(flows_.size())];
  const bool over = flow.said > 3 && random_.chance(flow.protocol == protocol::kTcp ? 60 : 15);
  if (!flow.walks && (drill_ || over)) begin(flow);
  made.reply = random_.chance(45);
  switch (flow.protocol) {
    case protocol::kTcp:
      made = tcp(flow);
      break;
    case protocol::kUdp:
      made.packet = udp(flow, made.reply);
      break;
    case protocol::kIcmp:
    case protocol::kIcmpv6:
      made.packet = icmp(flow, made.reply);
      break;
    default:
      made = other(flow, made.reply);
  }
  ++flow.said;
  if (made.flow < 0) decorate(made.packet);
  said_.push_back(made.packet);
  follow(&flow, made.reply, made.packet);
  return made;
}

}  // namespace postern::kernel
