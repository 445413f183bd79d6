// Reads the words of corpus/matches and corpus/targets, and asks the engine what it runs.
// Covered by campaign_test.cpp.
#include "../../unit/rule_table.hpp"
#include "analyzer/replay.hpp"
#include "tests/kernel/support/rule_source.hpp"
#include "vocabulary/registry.hpp"

namespace postern::kernel {
namespace {

std::vector<std::string> tokens(const std::string& rule) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false, any = false;
  for (const char c : rule) {
    if (c == '"') {
      quoted = !quoted;
      any = true;
    } else if (c == ' ' && !quoted) {
      if (any || !word.empty()) words.push_back(std::move(word));
      word.clear();
      any = false;
    } else {
      word += c;
    }
  }
  if (any || !word.empty()) words.push_back(std::move(word));
  return words;
}

std::span<const OptionSpec> specs_of(const std::string& name) {
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    if (const Match* match = find_match(name, family)) return match->options;
    if (const Target* target = find_target(name, family)) return target->options;
  }
  return {};
}

}  // namespace

const Phrasebook& Phrasebook::get() {
  static const Phrasebook book;
  return book;
}

Phrasebook::Phrasebook() {
  for (const TableLine& line : read_tables(std::filesystem::path(POSTERN_SOURCE_DIR) / "corpus")) {
    if (line.truth.empty() && line.verdict == "OK") {
      read(line.file.substr(0, line.file.find('.')), line.canonical);
    }
  }
}

// Of canonical rules: every extension is named there, every option spelt out.
void Phrasebook::read(const std::string& stem, const std::string& rule) {
  std::string extension = stem;
  const auto words = tokens(rule);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if ((words[i] == "-m" || words[i] == "-j") && i + 1 < words.size()) {
      extension = words[++i];
      words_[extension];
      continue;
    }
    for (const OptionSpec& spec : specs_of(extension)) {
      const unsigned count = word_count(spec.type);
      if (spec.name != words[i] || i + count >= words.size() + (count == 0 ? 1 : 0)) continue;
      words_[extension][std::string(spec.name)].emplace_back(
          words.begin() + static_cast<std::ptrdiff_t>(i + 1),
          words.begin() + static_cast<std::ptrdiff_t>(i + 1 + count));
      break;
    }
  }
}

const std::vector<std::vector<std::string>>& Phrasebook::words(std::string_view extension,
                                                               std::string_view option) const {
  static const std::vector<std::vector<std::string>> kNone;
  const auto found = words_.find(std::string(extension));
  if (found == words_.end()) return kNone;
  const auto list = found->second.find(std::string(option));
  return list == found->second.end() ? kNone : list->second;
}

Abilities Abilities::probe() {
  const auto models = [](const char* table, const char* rule) {
    Random random(1);
    const Constants constants = router_constants(Family::kIpv4, random);
    Scenario scenario;
    scenario.interfaces = constants.interfaces;
    scenario.routes = constants.routes;
    scenario.forwarding = true;
    scenario.ruleset = std::string("*") + table + "\n" + rule + "\nCOMMIT\n";
    Packet packet;
    packet.in = "eth0";
    packet.source = *Address::parse("192.0.2.9");
    packet.destination = *Address::parse("198.51.100.9");
    packet.protocol = 17;
    packet.source_port = 5000;
    packet.destination_port = 53;
    scenario.steps.emplace_back(packet);
    const auto replayed = replay(scenario);
    return replayed && replayed->unmodelled.empty();
  };
  return {models("nat",
                 ":PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n"
                 "-A POSTROUTING -j SNAT --to-source 198.51.100.1"),
          models("raw", ":PREROUTING ACCEPT [0:0]\n-A PREROUTING -j CT --zone 1"),
          models("raw", ":PREROUTING ACCEPT [0:0]\n-A PREROUTING -p udp -j CT --helper tftp")};
}

}  // namespace postern::kernel
