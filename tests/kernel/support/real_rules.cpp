// Cutting rulesets, and a router that fits what is left. Covered by campaign_test.cpp.
#include "tests/kernel/support/real_rules.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>

#include "tests/kernel/support/programs.hpp"

namespace postern::kernel {
namespace {

constexpr std::size_t kLargest = 60'000;  // bytes of a file
constexpr std::size_t kMostDevices = 4, kMostHosts = 6;

bool can_run(const Effect& effect, Abilities abilities) {
  if (std::holds_alternative<OpaqueTarget>(effect)) return false;
  if (std::holds_alternative<ToSocket>(effect)) return false;
  if (std::holds_alternative<Nat>(effect)) return abilities.nat;
  if (const auto* made = std::get_if<AttachTemplate>(&effect)) {
    if (made->zone != 0 || made->zone_from_mark) return abilities.zones;
    if (!made->helper.empty()) return abilities.helpers;
  }
  return true;
}

bool usable(const Rule& rule, Abilities abilities) {
  for (const Clause& clause : rule.clauses) {
    if (!clause.known || has_opaque(*clause.predicate)) return false;
    if (clause.hotdrop && has_opaque(*clause.hotdrop)) return false;
  }
  // What these do to the packet is not followed (rule_source.cpp).
  if (!rule.target_known || rule.target == "TCPMSS" || rule.target == "TEE") return false;
  const auto* effect = std::get_if<Effect>(&rule.action);
  return effect == nullptr || can_run(*effect, abilities);
}

std::vector<std::string> found(const std::string& text, const std::string& pattern) {
  std::vector<std::string> all;
  const std::regex regex(pattern);
  for (auto it = std::sregex_iterator(text.begin(), text.end(), regex);
       it != std::sregex_iterator(); ++it) {
    const std::string one = (*it)[1].str();
    if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
  }
  return all;
}

template <class T>
void keep_some(Random& random, std::vector<T>& list, std::size_t most) {
  while (list.size() > most) {
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(random.below(list.size())));
  }
}

// A host in the network, where a host can be.
std::optional<Address> host_in(Random& random, const Prefix& prefix) {
  Address made = prefix.address;
  const u128 all = made.family == Family::kIpv4 ? u128{0xffffffff} : ~u128{0};
  made.value =
      (prefix.address.value & prefix.mask) | (u128{1 + random.below(200)} & ~prefix.mask & all);
  if (made.family == Family::kIpv6) {
    const auto top = static_cast<unsigned>(made.value >> 120);
    return (top >= 0x20 && top < 0x40) || top == 0xfd ? std::optional(made) : std::nullopt;
  }
  const auto top = static_cast<unsigned>(made.value >> 24) & 0xff;
  const auto last = static_cast<unsigned>(made.value & 0xff);
  const bool unicast = top > 0 && top < 224 && top != 127 && last != 0 && last != 255;
  return unicast ? std::optional(made) : std::nullopt;
}

// The router that the rules speak of: their devices; their hosts behind them, some its own.
Constants fitting(Random& random, const std::string& rules, Family family) {
  Constants made = router_constants(family, random);
  auto devices = found(rules, " -[io] ([A-Za-z0-9_.:@-]{1,12})\\+?(?= )");
  std::erase(devices, "lo");
  keep_some(random, devices, kMostDevices);
  for (const char* more : {"eth0", "eth1"}) {
    if (devices.size() < 2 && std::find(devices.begin(), devices.end(), more) == devices.end()) {
      devices.emplace_back(more);
    }
  }
  const auto renamed = [&](std::string& device) {
    if (device == "eth0")
      device = devices[0];
    else if (device == "eth1")
      device = devices[1];
  };
  for (Interface& interface : made.interfaces) renamed(interface.name);
  for (Route& route : made.routes) renamed(route.device);
  for (auto& host : made.hosts) renamed(host.device);
  for (std::size_t i = 2; i < devices.size(); ++i)
    made.interfaces.push_back({devices[i], {}, 1500});

  auto networks = found(rules, " -[sd] ([0-9a-fA-F.:/]+)(?= )");
  keep_some(random, networks, kMostHosts);
  const unsigned whole = family == Family::kIpv4 ? 32 : 128;
  std::vector<Constants::Host> hosts;
  for (const std::string& network : networks) {
    const auto prefix = Prefix::parse(network, family);
    if (!prefix) continue;
    const auto host = host_in(random, *prefix);
    const auto taken = [&](const Constants::Host& one) {
      return host && one.address == host->text();
    };
    if (!host || std::any_of(made.hosts.begin(), made.hosts.end(), taken) ||
        std::any_of(hosts.begin(), hosts.end(), taken)) {
      continue;
    }
    const std::string& device = devices[random.below(devices.size())];
    if (random.chance(35)) {
      for (Interface& it : made.interfaces) {
        if (it.name == device) it.addresses.push_back({*host, whole});
      }
      hosts.push_back({host->text(), ""});
    } else {
      const auto alone = Prefix::parse(host->text() + "/" + std::to_string(whole), family);
      made.routes.push_back({*alone, device, std::nullopt, "unicast"});
      hosts.push_back({host->text(), device});
    }
  }
  // Those of the rules count twice: they are what the rules are about. Loopback stays last.
  for (int i = 0; i < 2; ++i) made.hosts.insert(made.hosts.begin(), hosts.begin(), hosts.end());

  auto ports = found(rules, "(?:port|ports|sports|dports|:|,) ?([0-9]{1,5})(?=[ ,:])");
  std::erase_if(ports, [](const std::string& text) {
    return std::stoul(text) == 0 || std::stoul(text) > 65535;
  });
  keep_some(random, ports, 5);
  for (const std::string& text : ports) {
    made.ports.push_back(static_cast<std::uint16_t>(std::stoul(text)));
    made.ports.push_back(made.ports.back());
  }
  return made;
}

}  // namespace

RealRules::RealRules(const std::filesystem::path& directory) {
  const Abilities abilities = Abilities::probe();
  std::ifstream index(directory / "INDEX.tsv");
  for (std::string line; std::getline(index, line);) {
    std::vector<std::string> columns;
    std::istringstream words(line);
    for (std::string word; std::getline(words, word, '\t');) columns.push_back(word);
    if (columns.size() < 10 || columns[7] != "accepted" || columns[8] != "accepted") continue;
    if (columns[1] == "bad-input") continue;
    std::ifstream stream(directory / columns[0], std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    if (text.empty() || text.size() > kLargest) continue;
    const Family family = columns[2] == "v6" ? Family::kIpv6 : Family::kIpv4;
    auto tables = read(text, family, abilities);
    if (!tables.empty()) files_.push_back({columns[0], family, std::move(tables)});
  }
}

// The rules that the text decides, as they stand there.
std::vector<RealRules::Table> RealRules::read(const std::string& text, Family family,
                                              Abilities abilities) {
  std::vector<Table> tables;
  // What versions of iptables-nft disagree on is no such rule, either.
  const auto bound = compile(text, family, Backend::kNft);
  if (!bound) return tables;
  const auto source = [&](Span span) { return std::string((*bound)->ruleset.source->slice(span)); };
  for (const auto& table : (*bound)->ruleset.tables) {
    Table made{std::string(postern::text(table.name)), {}};
    for (const auto& chain : table.chains) {
      const char* policy = !chain.policy                      ? "-"
                           : *chain.policy == Policy::kAccept ? "ACCEPT"
                                                              : "DROP";
      Chain copy{chain.name, ":" + chain.name + " " + policy + " [0:0]", {}, {}};
      for (const auto& rule : chain.rules) {
        if (!usable(rule, abilities)) continue;
        std::string line = source(rule.span);
        if (const auto at = line.find("-A "); at != std::string::npos) line = line.substr(at);
        if (line.find('\r') != std::string::npos) continue;
        if (!copy.rules.empty() && copy.rules.back() == line) continue;  // "-s a,b" stands twice
        copy.rules.push_back(std::move(line));
        copy.calls.emplace_back();
        const auto calls = [&](std::size_t to) {
          copy.calls.back().push_back(table.chains[to].name);
        };
        if (const auto* jump = std::get_if<Jump>(&rule.action)) calls(jump->chain);
        if (const auto* go = std::get_if<Goto>(&rule.action)) calls(go->chain);
      }
      made.chains.push_back(std::move(copy));
    }
    tables.push_back(std::move(made));
  }
  return tables;
}

std::string RealRules::cut(Random& random, const Table& table) {
  std::string heads, rules;
  std::set<std::string> open, done;
  for (const Chain& chain : table.chains) {
    if (!chain.head.ends_with("- [0:0]")) open.insert(chain.name);
  }
  while (!open.empty()) {
    const std::string name = *open.begin();
    open.erase(open.begin());
    done.insert(name);
    for (const Chain& chain : table.chains) {
      if (chain.name != name) continue;
      heads += chain.head + "\n";
      const std::size_t most = 4 + random.below(8);
      const std::size_t first =
          chain.rules.size() <= most ? 0 : random.below(chain.rules.size() - most + 1);
      for (std::size_t i = first; i < std::min(chain.rules.size(), first + most); ++i) {
        rules += chain.rules[i] + "\n";
        for (const std::string& callee : chain.calls[i]) {
          if (!done.contains(callee)) open.insert(callee);
        }
      }
    }
  }
  return "*" + table.name + "\n" + heads + rules + "COMMIT\n";
}

MadeScenario RealRules::make(std::uint64_t seed, std::size_t packets, Abilities) const {
  Random random(seed);
  const File& file = random.pick(files_);
  std::string rules;
  for (const Table& table : file.tables) rules += cut(random, table);
  MadeScenario made;
  const Constants constants = fitting(random, rules, file.family);
  Scenario& scenario = made.scenario;
  scenario.interfaces = constants.interfaces;
  scenario.routes = constants.routes;
  scenario.forwarding = random.chance(85);
  scenario.backend = random.chance(50) ? Backend::kNft : Backend::kLegacy;
  (file.family == Family::kIpv4 ? scenario.ruleset : scenario.ruleset6) = rules;
  add_traffic(random, constants, packets, made);
  return made;
}

}  // namespace postern::kernel
