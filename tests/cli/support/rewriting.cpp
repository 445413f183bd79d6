#include "cli/rewriting.hpp"

#include <algorithm>
#include <sstream>

namespace postern::test {
namespace {

bool taken(const std::map<std::string, std::string>& words, const std::string& value) {
  return words.contains(value) ||
         std::ranges::any_of(words, [&](const auto& pair) { return pair.second == value; });
}

std::string replaced(std::string line, const std::string& from, const std::string& to) {
  const std::size_t at = (" " + line + " ").find(" " + from + " ");
  if (at != std::string::npos) line.replace(at, from.size(), to);
  return line;
}

}  // namespace

std::string Renaming::operator()(const std::string& line) const {
  std::istringstream in(line);
  std::string result;
  for (std::string word; in >> word;) {
    const auto at = words.find(word);
    result += (result.empty() ? "" : " ") + (at == words.end() ? word : at->second);
  }
  return result;
}

const Renaming& Rewriter::draw(const RewriteOptions& options) {
  renaming_ = {};
  for (const std::string& port : options.ports) {
    std::string other;
    do {
      other = std::to_string(2 + pick(65000));
    } while (taken(renaming_.words, other));
    renaming_.words[port] = other;
  }
  if (!options.from_interface.empty()) {
    static constexpr const char* kNames[] = {"wlan", "ppp", "ens", "br-lan.", "tun", "wg"};
    renaming_.words[options.from_interface] = kNames[pick(6)] + std::to_string(pick(100));
  }
  if (!options.from_protocol.empty() && options.from_protocol != options.protocol) {
    renaming_.words[options.from_protocol] = options.protocol;
  }
  return renaming_;
}

std::string Rewriter::fresh_name(const char* prefix) {
  return prefix + std::to_string(++names_) + "-" + std::to_string(pick(1000));
}

// Moves stretches of rules into chains of their own, and stretches of those again.
void Rewriter::split(std::vector<Chain>& chains) {
  for (unsigned times = 1 + pick(3); times > 0; --times) {
    Chain& from = chains[pick(static_cast<unsigned>(chains.size()))];
    const auto size = static_cast<unsigned>(from.rules.size());
    if (size == 0) continue;
    const unsigned begin = pick(size), end = begin + 1 + pick(size - begin);
    Chain moved{fresh_name("part"), "-", {}};
    moved.rules.assign(from.rules.begin() + begin, from.rules.begin() + end);
    const bool tail = end == size && pick(2) == 0;
    from.rules.erase(from.rules.begin() + begin, from.rules.begin() + end);
    from.rules.insert(from.rules.begin() + begin, (tail ? "-g " : "-j ") + moved.name);
    (tail ? counts_.gotos : counts_.chains_split) += 1;
    chains.push_back(std::move(moved));
  }
}

void Rewriter::insert(std::vector<Chain>& chains, bool neutral) {
  static constexpr const char* kNeutral[] = {
      "-p tcp -m tcp --dport 7",
      "-s 192.0.2.0/24",
      "-m comment --comment \"nothing here\"",
      "-j LOG --log-prefix \"seen \"",
      "-p udp -m udp --sport 1:1024 -j LOG",
      "-p tcp -m tcp --syn -j LOG",
  };
  static constexpr const char* kForeign[] = {
      "-p gre -j DROP",
      "-p esp -j ACCEPT",
      "-i vpn9 -s 203.0.113.7/32 -p 89 -j DROP",
      "-m conntrack --ctstate NEW,INVALID -j LOG",
      "-p icmp -m icmp --icmp-type 8 -m limit --limit 1/second -j RETURN",
      "-p 132 -m comment --comment \"not SCTP\" -j DROP",
  };
  for (Chain& chain : chains) {
    for (unsigned times = pick(3); times > 0; --times) {
      const bool foreign = !neutral && pick(2) == 0;
      // Behind a goto nothing is ever reached.
      const bool open = chain.rules.empty() || !chain.rules.back().starts_with("-g ");
      const auto at = pick(static_cast<unsigned>(chain.rules.size()) + (open ? 1 : 0));
      std::string rule = foreign ? kForeign[pick(6)] : kNeutral[pick(6)];
      // -i is refused where packets leave.
      if (rule.starts_with("-i ") && chain.name != "INPUT") rule = kForeign[0];
      chain.rules.insert(chain.rules.begin() + at, std::move(rule));
      ++counts_.inserted;
    }
  }
}

void Rewriter::rename_chains(std::vector<Chain>& chains) {
  for (Chain& chain : chains) {
    if (chain.policy != "-" || chain.name.starts_with("part")) continue;
    const std::string name = fresh_name("c");
    for (Chain& caller : chains) {
      for (std::string& rule : caller.rules) {
        if (rule.ends_with("-j " + chain.name)) {
          rule.replace(rule.size() - chain.name.size(), chain.name.size(), name);
        }
      }
    }
    chain.name = name;
    ++counts_.chains_renamed;
  }
}

// The same protocol by its number, the same flags by --syn, the same states by the older match.
void Rewriter::respell(std::vector<Chain>& chains) {
  for (Chain& chain : chains) {
    for (std::string& rule : chain.rules) {
      const std::string before = rule;
      if (pick(3) == 0) rule = replaced(rule, "-p tcp", "-p 6");
      if (pick(3) == 0) rule = replaced(rule, "-p udp", "-p 17");
      if (pick(2) == 0) rule = replaced(rule, "--tcp-flags FIN,SYN,RST,ACK SYN", "--syn");
      if (pick(3) == 0) rule = replaced(rule, "-m conntrack --ctstate", "-m state --state");
      counts_.spellings += rule != before ? 1 : 0;
    }
  }
}

std::string Rewriter::table(const std::string& name, std::vector<Chain> chains,
                            const RewriteOptions& options) {
  for (Chain& chain : chains) {
    for (std::string& rule : chain.rules) {
      const std::string before = rule;
      rule = renaming_(rule);
      if (rule == before) continue;
      for (const auto& [from, to] : renaming_.words) {
        if (replaced(before, from, to) == before) continue;
        if (from == options.from_interface) {
          ++counts_.interfaces;
        } else if (from == options.from_protocol) {
          ++counts_.protocols;
        } else {
          ++counts_.ports;
        }
      }
    }
  }
  rename_chains(chains);
  respell(chains);
  split(chains);
  insert(chains, options.neutral);
  std::string text = "*" + name + "\n";
  for (const Chain& chain : chains) text += ":" + chain.name + " " + chain.policy + " [0:0]\n";
  for (const Chain& chain : chains) {
    for (const std::string& rule : chain.rules) text += "-A " + chain.name + " " + rule + "\n";
  }
  return text + "COMMIT\n";
}

std::string Rewriter::rewrite(const std::string& text, const RewriteOptions& options) {
  std::istringstream in(text);
  std::string result, name;
  std::vector<Chain> chains;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("*")) {
      name = line.substr(1);
      chains.clear();
    } else if (line.starts_with(":")) {
      std::istringstream words(line.substr(1));
      Chain chain;
      words >> chain.name >> chain.policy;
      chains.push_back(std::move(chain));
    } else if (line.starts_with("-A ")) {
      const std::size_t end = line.find(' ', 3);
      const std::string owner = line.substr(3, end - 3);
      const auto at = std::ranges::find(chains, owner, &Chain::name);
      at->rules.push_back(line.substr(end + 1));
    } else if (line == "COMMIT") {
      result += table(name, std::move(chains), options);
    }
  }
  return result;
}

}  // namespace postern::test
