// Tables, chains and who calls whom; sysctls as a first step, so that worlds can be used again.
// Covered by campaign_test.cpp.
#include "tests/kernel/support/scenarios.hpp"

#include "engine/engine.hpp"
#include "tests/kernel/helper_random.hpp"
#include "tests/kernel/support/nat_rules.hpp"
#include "tests/kernel/support/programs.hpp"

namespace postern::kernel {
namespace {

using Words = std::vector<std::string>;

// Percent of scenarios that are only about the TCP tables: elsewhere a walk is disturbed too often.
constexpr unsigned kDrills = 40;
// Percent that are about helpers, with zones and NAT.
constexpr unsigned kHelpers = 5;

class RulesetMaker {
 public:
  // `gentle`: tracked, and next to nothing dropped.
  RulesetMaker(Random& random, const Constants& constants, Backend backend, Abilities abilities,
               bool gentle)
      : random_(random),
        gentle_(gentle),
        tracking_(gentle || random.chance(88)),
        abilities_(abilities),
        backend_(backend),
        source_(random, constants, backend, tracking_, abilities),
        nat_(random, constants) {}

  // Does a rule of text() need an ipset?
  bool names_sets() const { return names_sets_; }

  std::string text() {
    std::string text;
    if (!gentle_ && random_.chance(55)) text += table("raw", {"PREROUTING", "OUTPUT"});
    if (random_.chance(45)) {
      text += table("mangle", {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"});
    }
    if (random_.chance(gentle_ ? 45 : abilities_.nat ? 72 : 15)) {
      text += table("nat", {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"});
    }
    if (random_.chance(15)) text += table("security", {"INPUT", "FORWARD", "OUTPUT"});
    text += table("filter", {"INPUT", "FORWARD", "OUTPUT"});
    return text;
  }

 private:
  std::string table(const std::string& name, const Words& builtin) {
    const std::uint64_t users = random_.below(4);
    std::string text = "*" + name + "\n", rules;
    for (const std::string& chain : builtin) {
      const unsigned percent = gentle_ || name == "nat" ? 0 : name == "filter" ? 25 : 1;
      text += ":" + chain + (random_.chance(percent) ? " DROP" : " ACCEPT") + " [0:0]\n";
    }
    for (std::uint64_t i = 0; i < users; ++i) text += ":" + user(i) + " - [0:0]\n";
    const bool broad = name == "nat" && tracking_ && abilities_.nat && random_.chance(80);
    const std::vector<std::string_view> all(builtin.begin(), builtin.end());
    for (const std::string& chain : builtin) {
      const std::vector<std::string_view> one{chain};
      for (std::uint64_t i = random_.below(broad ? 3 : 5); i > 0; --i) {
        rules += rule(chain, {name, one}, 0, users);
      }
      for (std::uint64_t i = broad ? random_.below(chain == "INPUT" ? 2 : 3) : 0; i > 0; --i) {
        rules += "-A " + chain + nat_.rule(chain) + "\n";
      }
    }
    for (std::uint64_t u = 0; u < users; ++u) {
      for (std::uint64_t i = 1 + random_.below(4); i > 0; --i) {
        rules += rule(user(u), {name, all}, u + 1, users);
      }
    }
    // Some rule must switch tracking on where it is meant to be on.
    if (tracking_ && name == "filter") rules += "-A OUTPUT -m conntrack --ctstate NEW\n";
    return text + rules + "COMMIT\n";
  }

  static std::string user(std::uint64_t number) { return "user" + std::to_string(number); }

  // A rule may call the user chains [callees, users): never upwards, so there are no loops.
  std::string rule(const std::string& chain, const RulePlace& place, std::uint64_t callees,
                   std::uint64_t users) {
    const bool builtin_chain = !chain.starts_with("user");
    for (;;) {
      RuleSource::Protocol protocol;
      if (random_.chance(65)) protocol = source_.protocol();
      std::string text = protocol.text + source_.builtin_options(place, builtin_chain);
      for (int i = 0; i < 2; ++i) {
        if (random_.chance(protocol.number ? 65 : 45)) text += source_.match(place, protocol);
      }
      if (callees < users && random_.chance(30)) {
        text +=
            (random_.chance(30) ? " -g " : " -j ") + user(callees + random_.below(users - callees));
      } else if (gentle_) {
        text += random_.chance(50) ? " -j ACCEPT" : " -j LOG";
      } else if (!random_.chance(8)) {
        text += source_.target(place, protocol);
      }
      if (beyond_nft(text)) continue;
      names_sets_ = names_sets_ || text.find(" -j SET ") != std::string::npos;
      return "-A " + chain + text + "\n";
    }
  }

  // iptables-nft 1.8.9 makes one comparison of two inverted ports (harness_test.cpp pins it).
  bool beyond_nft(const std::string& text) const {
    if (backend_ != Backend::kNft) return false;
    for (const char* never : {"! -s 0.0.0.0/0", "! -d 0.0.0.0/0", "! -s ::/0", "! -d ::/0"}) {
      if (text.find(never) != std::string::npos) return true;  // refused (kernel-facts 59)
    }
    return text.find("! --sport") != std::string::npos &&
           text.find("! --dport") != std::string::npos;
  }

  Random& random_;
  bool gentle_, tracking_, names_sets_ = false;
  Abilities abilities_;
  Backend backend_;
  RuleSource source_;
  NatSource nat_;
};

// An engine that tells the ends of conversations what reached them.
class Fates {
 public:
  explicit Fates(const Scenario& scenario) {
    auto v4 = compile(scenario.ruleset, Family::kIpv4, scenario.backend);
    auto v6 = compile(scenario.ruleset6, Family::kIpv6, scenario.backend);
    if (!v4 || !v6) return;  // the judge says so
    v4_ = std::move(*v4);
    v6_ = std::move(*v6);
    engine_ = std::make_unique<Engine>(scenario, v4_->get(), v6_->get(), chooser_);
    for (const Step& step : scenario.steps) {
      if (const auto* it = std::get_if<SysctlStep>(&step)) engine_->set_sysctl(it->values);
    }
  }

  PacketReport of(const Packet& packet) {
    if (!engine_) return {};
    try {
      return engine_->inject(packet);
    } catch (const Unmodelled&) {  // the judge stops there as well
      engine_.reset();
      return {};
    }
  }

 private:
  std::unique_ptr<Compiled> v4_, v6_;
  ListChooser chooser_;
  std::unique_ptr<Engine> engine_;
};

SysctlStep sysctls(Random& random) {
  const auto flag = [&](unsigned percent) {
    return std::string(random.chance(percent) ? "1" : "0");
  };
  const std::string base = "net/netfilter/nf_conntrack_";
  SysctlStep step;
  step.values = {{base + "tcp_loose", flag(82)},
                 {base + "tcp_be_liberal", flag(40)},
                 {base + "tcp_ignore_invalid_rst", flag(20)},
                 {base + "checksum", flag(85)}};
  return step;
}

// The cells of a table, those behind long walks several times: these walks fail more often.
std::vector<TcpCellAim> aims_of(const std::string& table) {
  std::vector<TcpCellAim> aims;
  for (const std::size_t longer_than : {0U, 4U, 6U}) {
    for (const TcpCellAim& cell : measured_cells().at(table)) {
      const std::size_t steps = tcp_walks().at(cell.row).size();
      const bool fragile = cell.row == "pickup" || cell.row == "NONE" || cell.row == "SYN_SENT" ||
                           cell.row == "SYN_SENT2" || cell.row == "SYN_RECV(sim)";
      if (steps >= longer_than || (fragile && longer_than == 4)) aims.push_back(cell);
    }
  }
  return aims;
}

// Conversations in FTP, TFTP and IRC (helper_random.hpp), which make flows that are expected.
MadeScenario helper_scenario(std::uint64_t seed, Random& random) {
  MadeScenario made;
  made.scenario = random_helper_scenario(seed);
  for (const Step& step : made.scenario.steps) {
    made.packets.push_back({.packet = std::get<Packet>(step), .aim = {}});
  }
  made.scenario.steps.insert(made.scenario.steps.begin(), sysctls(random));
  made.first_packet = 1;
  return made;
}

}  // namespace

// Which table of kernel-facts a scenario with these sysctls belongs to.
std::string table_of(const Scenario& scenario) {
  const auto* step = std::get_if<SysctlStep>(&scenario.steps.front());
  if (step == nullptr) return "loose1";
  const std::string base = "net/netfilter/nf_conntrack_";
  if (step->values.at(base + "tcp_be_liberal") == "1") return "liberal";
  return step->values.at(base + "tcp_loose") == "1" ? "loose1" : "loose0";
}

void add_traffic(Random& random, const Constants& constants, std::size_t packets,
                 MadeScenario& made, bool drill) {
  Scenario& scenario = made.scenario;
  scenario.steps.emplace_back(sysctls(random));
  made.first_packet = scenario.steps.size();
  Fates fates(scenario);
  const std::vector<TcpCellAim> aims = aims_of(table_of(scenario));
  Traffic traffic(
      random, constants, aims, [&](const Packet& packet) { return fates.of(packet); }, drill);
  for (std::size_t i = 0; i < packets; ++i) {
    made.packets.push_back(traffic.next());
    scenario.steps.emplace_back(made.packets.back().packet);
  }
}

// The sets that corpus/targets/SET.t names. What is in them is opaque to the rules, so that it may
// outlive a scenario.
std::string sets(Family family) {
  const std::string words = family == Family::kIpv4 ? " family inet" : " family inet6";
  return "create foo hash:ip" + words + "\ncreate bar hash:ip,port" + words + "\n";
}

MadeScenario make_scenario(std::uint64_t seed, std::size_t packets, Abilities abilities) {
  Random random(seed);
  if (random.chance(kHelpers)) return helper_scenario(seed, random);
  const Family family = random.chance(60) ? Family::kIpv4 : Family::kIpv6;
  const Constants constants = router_constants(family, random);
  MadeScenario made;
  Scenario& scenario = made.scenario;
  scenario.interfaces = constants.interfaces;
  scenario.routes = constants.routes;
  scenario.forwarding = random.chance(94);
  scenario.backend = random.chance(50) ? Backend::kNft : Backend::kLegacy;
  const bool drill = random.chance(kDrills);
  RulesetMaker rules(random, constants, scenario.backend, abilities, drill);
  (family == Family::kIpv4 ? scenario.ruleset : scenario.ruleset6) = rules.text();
  if (rules.names_sets()) scenario.ipset = sets(family);
  add_traffic(random, constants, packets, made, drill);
  return made;
}

}  // namespace postern::kernel
