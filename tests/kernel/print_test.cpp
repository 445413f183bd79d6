// The canonical printer against iptables-legacy-save: every real ruleset that the kernel loads,
// rule by rule, where all of a rule's extensions are known.
#include "ir/print.hpp"

#include <map>

#include "../unit/ir_texts.hpp"
#include "kernel/system.hpp"
#include "kernel_fixture.hpp"

namespace postern::kernel {
namespace {

struct Printed {
  std::string text;
  bool known = true;
};
using Chains = std::map<std::string, std::vector<Printed>>;  // by "table chain"

Chains by_chain(const Ruleset& ruleset) {
  Chains chains;
  for (const Table& table : ruleset.tables) {
    for (const Chain& chain : table.chains) {
      for (const Rule& rule : chain.rules) {
        const bool known = rule.target_known && std::ranges::all_of(rule.clauses, &Clause::known);
        const std::string key = std::string(text(table.name)) + " " + chain.name;
        chains[key].push_back({print(rule, chain.name), known});
      }
    }
  }
  return chains;
}

// iptables-save's own lines, as text.
Chains by_chain(const std::string& saved) {
  Chains chains;
  std::string table, line;
  for (std::istringstream in(saved); std::getline(in, line);) {
    if (line.starts_with("*")) table = line.substr(1);
    if (!line.starts_with("-A ")) continue;
    chains[table + " " + line.substr(3, line.find(' ', 3) - 3)].push_back({line});
  }
  return chains;
}

std::size_t compare(const Chains& ours, const Chains& saved) {
  std::size_t compared = 0;
  EXPECT_EQ(ours.size(), saved.size());
  for (const auto& [key, rules] : saved) {
    const auto it = ours.find(key);
    if (it == ours.end() || it->second.size() != rules.size()) {
      ADD_FAILURE() << key << " has another number of rules";
      continue;
    }
    for (std::size_t i = 0; i < rules.size(); ++i) {
      if (!it->second[i].known) continue;
      EXPECT_EQ(it->second[i].text, rules[i].text);
      ++compared;
    }
  }
  return compared;
}

// Loads the file in a namespace of its own and saves it again; nullopt when the kernel refuses it.
std::optional<std::string> saved(const std::string& program, const std::string& input,
                                 const std::string& sets) {
  const auto space = NetNamespace::create();
  const auto inside = space->enter();
  std::istringstream names(sets);
  for (std::string set; std::getline(names, set, ',');) {
    if (set != "-") static_cast<void>(run_program({"ipset", "create", set, "hash:net"}));
  }
  if (!run_checked({program + "-legacy-restore"}, input)) return std::nullopt;
  const auto output = run_checked({program + "-legacy-save"});
  if (!output) return std::nullopt;
  return *output;
}

class PrintTest : public KernelTest {};

TEST_F(PrintTest, EqualsWhatTheKernelSaves) {
  const auto shared = shared_directory();
  if (!shared) return;
  const auto real = *shared / "corpus/real";
  std::size_t loaded = 0, compared = 0;
  for (const auto& row : table_rows(real / "INDEX.tsv")) {
    if (!row[7].starts_with("accepted")) continue;
    SCOPED_TRACE(row[0]);
    const std::string input = file_text(real / row[0]);
    const bool six = row[2] == "v6";
    const auto output = saved(six ? "ip6tables" : "iptables", input, row[9]);
    if (!output) continue;
    ++loaded;
    const Family family = six ? Family::kIpv6 : Family::kIpv4;
    const auto original = read_ruleset(source_of(input), family);
    const auto again = read_ruleset(source_of(*output), family);
    ASSERT_TRUE(original && again);
    compared += compare(by_chain(original->ruleset), by_chain(*output));
    compared += compare(by_chain(again->ruleset), by_chain(*output));
  }
  EXPECT_GE(loaded, 135u);
  EXPECT_GE(compared, 50000u);
}

}  // namespace
}  // namespace postern::kernel
