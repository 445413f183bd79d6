// Random small rulesets and packet sequences, engine against Linux: user chains, goto, policies,
// raw with NOTRACK, ctstate, ports and flags, REJECT, over loopback and two wires, both families
// and both backends. A few hosts and ports, so that packets meet rules and flows often.
#include "net/protocol.hpp"
#include "random_driver.hpp"

namespace postern::kernel {
namespace {

using Words = std::vector<std::string>;

class Maker {
 public:
  Maker(Random& random, bool v6, Backend backend) : random_(random), v6_(v6), backend_(backend) {}

  std::string ruleset() {
    std::string text;
    if (random_.chance(60)) text += table("raw", {"PREROUTING", "OUTPUT"}, true);
    text += table("filter", {"INPUT", "FORWARD", "OUTPUT"}, false);
    return text;
  }

  std::vector<Step> packets(std::size_t count) {
    std::vector<Step> steps;
    while (steps.size() < count) steps.emplace_back(packet());
    return steps;
  }

 private:
  std::string table(const std::string& name, const Words& builtin, bool raw) {
    std::string text = "*" + name + "\n", rules;
    for (const std::string& chain : builtin) {
      text += ":" + chain + (random_.chance(raw ? 3 : 25) ? " DROP" : " ACCEPT") + " [0:0]\n";
    }
    const Words users{"alpha", "beta"};
    for (const std::string& chain : users) text += ":" + chain + " - [0:0]\n";
    for (const std::string& chain : builtin) {
      for (std::uint64_t i = random_.below(5); i > 0; --i) rules += rule(chain, raw, 2);
    }
    for (std::uint64_t i = random_.below(4); i > 0; --i) rules += rule("alpha", raw, 1);
    for (std::uint64_t i = random_.below(4); i > 0; --i) rules += rule("beta", raw, 0);
    return text + rules + "COMMIT\n";
  }

  // `callees`: how many of beta, alpha may be called from here (never upwards: no loops).
  std::string rule(const std::string& chain, bool raw, std::uint64_t callees) {
    std::string text = "-A " + chain + matches(chain, raw);
    const bool tcp =
        text.find("-p tcp") != std::string::npos && text.find("! -p tcp") == std::string::npos;
    Words targets{"ACCEPT", "DROP", "RETURN", ""};
    if (raw) targets = {"NOTRACK", "NOTRACK", "ACCEPT", "RETURN", ""};
    std::string target = random_.pick(targets);
    if (!raw && random_.chance(15)) {
      target = tcp && random_.chance(50) ? "REJECT --reject-with tcp-reset" : "REJECT";
    }
    if (callees > 0 && random_.chance(35)) {
      const std::string callee = random_.below(callees) == 0 ? "beta" : "alpha";
      return text + (random_.chance(25) ? " -g " : " -j ") + callee + "\n";
    }
    return text + (target.empty() ? "" : " -j " + target) + "\n";
  }

  std::string matches(const std::string& chain, bool raw) {
    std::string text;
    const Words devices{"lo", "eth0", "eth1", "eth+"};
    const bool may_in = chain != "OUTPUT", may_out = chain == "OUTPUT" || chain == "FORWARD";
    if (may_in && random_.chance(30) && chain != "alpha" && chain != "beta") {
      text += negation() + " -i " + random_.pick(devices);
    }
    if (may_out && random_.chance(30)) text += negation() + " -o " + random_.pick(devices);
    if (random_.chance(20)) text += negation() + " -s " + address();
    if (random_.chance(20)) text += negation() + " -d " + address();
    if (random_.chance(60)) text += protocol_match();
    if (!raw && random_.chance(40)) text += state_match();
    return text;
  }

  std::string negation() { return random_.chance(25) ? " !" : ""; }

  std::string protocol_match() {
    if (random_.chance(10)) return " ! -p " + random_.pick(Words{"tcp", "udp"});
    const std::string protocol =
        random_.pick(Words{"tcp", "tcp", "udp", v6_ ? "ipv6-icmp" : "icmp"});
    std::string text = " -p " + protocol;
    if (protocol == "tcp" || protocol == "udp") {
      if (random_.chance(60)) text += negation() + " --dport " + ports();
      // Two inverted ports mean something else to iptables-nft 1.8.9 (harness_test.cpp pins it).
      const bool inverted = text.find("! --dport") != std::string::npos;
      if (random_.chance(30)) {
        text += (inverted && backend_ == Backend::kNft ? "" : negation()) + " --sport " + ports();
      }
      if (protocol == "tcp" && random_.chance(25)) {
        text += negation() + " --tcp-flags " +
                random_.pick(Words{"FIN,SYN,RST,ACK SYN", "ACK ACK", "SYN,ACK SYN,ACK", "RST RST"});
      }
    }
    return text;
  }

  std::string ports() {
    return random_.pick(Words{"80", "1234", "5000", "80:1234", "1024:", ":1023"});
  }

  std::string state_match() {
    return " -m conntrack" + negation() + " --ctstate " +
           random_.pick(Words{"NEW", "ESTABLISHED", "RELATED,ESTABLISHED", "INVALID", "UNTRACKED",
                              "NEW,UNTRACKED", "INVALID,NEW", "RELATED"});
  }

  std::string address() {
    return v6_ ? random_.pick(Words{"2001:db8:1::/64", "2001:db8:1::9", "2001:db8:2::9", "::1"})
               : random_.pick(Words{"192.0.2.0/24", "192.0.2.9", "198.51.100.9", "127.0.0.0/8"});
  }

  Address host(std::size_t index) {
    const Words v4{"192.0.2.1", "192.0.2.9", "198.51.100.1", "198.51.100.9", "127.0.0.1"};
    const Words v6{"2001:db8:1::1", "2001:db8:1::9", "2001:db8:2::1", "2001:db8:2::9", "::1"};
    return *Address::parse((v6_ ? v6 : v4)[index]);
  }

  // One of the four paths: where the packet enters, and addresses that make sense there.
  Packet packet() {
    Packet p;
    constexpr std::size_t kOwn0 = 0, kPeer0 = 1, kPeer1 = 3, kLoopback = 4;
    std::size_t source = kPeer0, destination = kOwn0;
    switch (random_.below(6)) {
      case 0:
        p.in = "eth0";
        break;
      case 1:
        source = kOwn0;
        destination = kPeer0;
        break;
      case 2:
        p.in = "eth0";
        destination = kPeer1;
        break;
      case 3:
        p.in = "eth1";
        source = kPeer1;
        destination = kPeer0;
        break;
      case 4:
        source = destination = kLoopback;
        break;
      default:
        source = kLoopback;
        destination = kLoopback;
        break;
    }
    p.source = host(source);
    p.destination = host(destination);
    if (random_.chance(3)) p.ttl = 1;
    layer4(p);
    return p;
  }

  void layer4(Packet& p) {
    const std::vector<std::uint16_t> ports{80, 1234, 5000};
    p.source_port = random_.pick(ports);
    p.destination_port = random_.pick(ports);
    const auto kind = random_.below(10);
    if (kind < 6) {
      p.protocol = protocol::kTcp;
      using namespace tcp_flag;
      p.flags =
          random_.pick(std::vector<std::uint8_t>{kSyn, kSyn, kSyn | kAck, kSyn | kAck, kAck, kAck,
                                                 kAck, kFin | kAck, kRst, kRst | kAck, 0, kFin});
      p.seq = (p.flags & kSyn) != 0 ? 1000 : 1001;
      p.ack = (p.flags & kAck) != 0 ? 1001 : 0;
    } else if (kind < 8) {
      p.protocol = protocol::kUdp;
      p.payload = Bytes(random_.below(20), 0);
    } else {
      p.protocol = v6_ ? protocol::kIcmpv6 : protocol::kIcmp;
      p.type = v6_ ? (random_.chance(50) ? 128 : 129) : (random_.chance(50) ? 8 : 0);
      p.icmp_id = static_cast<std::uint16_t>(random_.below(2));
    }
  }

  Random& random_;
  bool v6_;
  Backend backend_;
};

Scenario make(Random& random, Backend backend) {
  const bool v6 = random.chance(35);
  Maker maker(random, v6, backend);
  Scenario scenario;
  (v6 ? scenario.ruleset6 : scenario.ruleset) = maker.ruleset();
  scenario.backend = backend;
  scenario.forwarding = true;
  const auto address = [](const char* text, unsigned length) {
    return InterfaceAddress{*Address::parse(text), length};
  };
  scenario.interfaces = {
      {"lo", {address("127.0.0.1", 8), address("::1", 128)}, 65536},
      {"eth0", {address("192.0.2.1", 24), address("2001:db8:1::1", 64)}, 1500},
      {"eth1", {address("198.51.100.1", 24), address("2001:db8:2::1", 64)}, 1500}};
  scenario.steps = maker.packets(10 + random.below(10));
  return scenario;
}

class RandomBasic : public KernelTest, public testing::WithParamInterface<Backend> {};

TEST_P(RandomBasic, EngineAndLinuxAgree) {
  RandomDriver driver(GetParam() == Backend::kNft ? "basic, nft" : "basic, legacy",
                      [](Random& random) { return make(random, GetParam()); });
  driver.run(60);
  Tally& tally = driver.tally();
  EXPECT_GT(tally.scenarios, 40);
  for (const char* verdict : {"delivered", "forwarded", "sent", "dropped"}) {
    EXPECT_GT(tally.verdicts[verdict], 10) << verdict;
  }
  for (const char* state : {"NEW", "ESTABLISHED", "INVALID", "UNTRACKED"}) {
    EXPECT_GT(tally.states[state], 5) << state;
  }
  EXPECT_GT(tally.entries, 100);
  EXPECT_GT(tally.rule_hits, 200);
  EXPECT_GT(tally.replies, 5);
}

INSTANTIATE_TEST_SUITE_P(Backends, RandomBasic, testing::Values(Backend::kLegacy, Backend::kNft),
                         [](const auto& param) {
                           return param.param == Backend::kNft ? "nft" : "legacy";
                         });

}  // namespace
}  // namespace postern::kernel
