// The engine against Linux on small scenarios, each about one thing that random conversations reach
// too seldom: rejects of every kind, fragments with tracking on and off, cut headers, MTU, TTL,
// refusals by routing, nat tables without NAT. Both backends.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "analyzer/replay.hpp"
#include "chain_lines.hpp"
#include "kernel/run.hpp"
#include "kernel_fixture.hpp"

namespace postern::kernel {
namespace {

using Json = nlohmann::json;

struct Case {
  const char* name;
  const char* ruleset;      // IPv4; "6" in front: IPv6
  const char* packets;      // JSON list
  const char* more = "{}";  // further keys of the scenario
};

// In C's own order so that gtest prints the name.
void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }

const Case kCases[] = {
#include "engine_cases.inc"
};

class EngineCase : public KernelTest, public testing::WithParamInterface<Case> {};

Scenario scenario_of(const Case& one, const char* backend) {
  Json json = Json::parse(one.more);
  const bool six = one.ruleset[0] == '6';
  json[six ? "ruleset6" : "ruleset"] = with_chains(one.ruleset + (six ? 1 : 0));
  json["packets"] = Json::parse(one.packets);
  json["backend"] = backend;
  if (!json.contains("interfaces")) {
    json["interfaces"] = Json::parse(
        R"([{"name":"lo"},{"name":"eth0","addresses":["192.0.2.1/24","2001:db8:1::1/64"]},
            {"name":"eth1","addresses":["198.51.100.1/24","2001:db8:2::1/64"],"mtu":1400}])");
  }
  if (!json.contains("forwarding")) json["forwarding"] = true;
  const SourceFile source(one.name, json.dump());
  auto file = read_scenarios(source, ".");
  if (!file) throw std::runtime_error(render(file.error().front(), source));
  return file->scenarios.at(0);
}

TEST_P(EngineCase, IsWhatLinuxDoes) {
  for (const char* backend : {"legacy", "nft"}) {
    const Scenario scenario = scenario_of(GetParam(), backend);
    const auto engine = replay(scenario);
    if (!engine && !engine.error().diagnostics.empty() &&
        engine.error().diagnostics[0].code == "unknown-option") {
      GTEST_SKIP() << engine.error().diagnostics[0].message;
    }
    ASSERT_TRUE(engine) << engine.error().message;
    ASSERT_EQ(engine->unmodelled, "");
    if (!engine->choices.empty()) GTEST_SKIP() << engine->choices[0].why;
    const auto document = run(scenario);
    ASSERT_TRUE(document) << document.error();
    std::string all;
    for (const std::string& line : differences(to_json(engine->report), *document))
      all += line + "\n";
    EXPECT_EQ(all, "") << GetParam().name << " with " << backend << " (left engine, right Linux)";
  }
}

INSTANTIATE_TEST_SUITE_P(Linux, EngineCase, testing::ValuesIn(kCases),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace postern::kernel
