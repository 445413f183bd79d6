// docs/support.md is generated from the descriptors and their tables, so that it cannot rot: this
// test compares it with what they say now, and writes it anew when POSTERN_WRITE_SUPPORT is set.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "ir/bind.hpp"
#include "rule_table.hpp"
#include "vocabulary/registry.hpp"

namespace postern {
namespace {

const std::filesystem::path kRoot = POSTERN_SOURCE_DIR;

constexpr std::string_view kHead =
    "# What postern knows of iptables\n\n"
    "Generated from the descriptors in `lib/vocabulary` and their tables in `corpus` by\n"
    "`tests/unit/support_test.cpp`; run it with `POSTERN_WRITE_SUPPORT=1` to write this page "
    "anew.\n\n"
    "*exact*: decided by the packet and its entry. *opaque*: any value at each evaluation, named "
    "in\n"
    "every answer that depends on it. *partly*: it depends on the options. A module that is not "
    "listed\n"
    "is kept as opaque and reported (PST001). The last column counts rules in the table, each of "
    "which\n"
    "the installed iptables has confirmed.\n\n";

struct Count {
  int rules = 0, opaque = 0;
};

bool is_opaque(const Rule& rule, const std::string& module) {
  for (const Clause& clause : rule.clauses) {
    if (clause.module == module && has_opaque(*clause.predicate)) return true;
  }
  const auto* effect = std::get_if<Effect>(&rule.action);
  return module.empty() && effect != nullptr &&
         (std::holds_alternative<OpaqueTarget>(*effect) ||
          std::holds_alternative<ToSocket>(*effect));
}

// The rules of a table that load; `module` empty: look at their targets.
Count count(const std::filesystem::path& table, const std::string& module) {
  Count result;
  for (const TableLine& line : read_table(table)) {
    if (line.verdict != "OK" && line.verdict != "KEEP" && line.verdict != "LOAD") continue;
    const auto source = std::make_shared<SourceFile>("table", line.text());
    const auto bound = read_ruleset(source, line.families.front());
    if (!bound) continue;
    for (const Chain& chain : bound->ruleset.tables.at(0).chains) {
      for (const Rule& rule : chain.rules) {
        ++result.rules;
        if (is_opaque(rule, module)) ++result.opaque;
      }
    }
  }
  return result;
}

std::string decided(const Count& count) {
  if (count.opaque == 0) return "exact";
  return count.opaque == count.rules ? "opaque" : "partly";
}

std::string families(const std::set<Family>& families) {
  if (families.size() == 2) return "4, 6";
  return *families.begin() == Family::kIpv4 ? "4" : "6";
}

// Both descriptors of a name that has one for each family make one row.
template <class Descriptor>
std::string rows(std::span<const Descriptor* const> all, std::string_view directory) {
  std::map<std::string, std::set<Family>> names;
  std::map<std::string, std::set<std::string>> options;
  for (const Descriptor* descriptor : all) {
    const std::string name(descriptor->name);
    names[name].insert(descriptor->families.begin(), descriptor->families.end());
    for (const OptionSpec& option : descriptor->options) options[name].emplace(option.name);
  }
  std::string text;
  for (const auto& [name, of] : names) {
    const auto table = kRoot / "corpus" / directory / (name + ".t");
    const Count counted = count(table, directory == "matches" ? name : "");
    std::string list;
    for (const std::string& option : options[name])
      list += (list.empty() ? "`" : " `") + option + "`";
    text += "| `" + name + "` | " + families(of) + " | " + decided(counted) + " | " + list + " | " +
            std::to_string(counted.rules) + " |\n";
  }
  return text;
}

std::string page() {
  constexpr std::string_view kColumns =
      "| name | IP | meaning | options | rules |\n|---|---|---|---|---:|\n";
  std::string text(kHead);
  text += "## Matches\n\n" + std::string(kColumns) + rows(all_matches(), "matches");
  text += "\nBuilt in: `-s -d -i -o -p -f`, exact.\n";
  text += "\n## Targets\n\n" + std::string(kColumns) + rows(all_targets(), "targets");
  return text;
}

TEST(Support, PageSaysWhatTheDescriptorsSay) {
  const auto path = kRoot / "docs" / "support.md";
  const std::string now = page();
  if (std::getenv("POSTERN_WRITE_SUPPORT") != nullptr) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << now;
  }
  std::ifstream in(path);
  std::ostringstream there;
  there << in.rdbuf();
  EXPECT_EQ(there.str(), now) << "run with POSTERN_WRITE_SUPPORT=1";
}

}  // namespace
}  // namespace postern
