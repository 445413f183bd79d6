// The engine against Linux on small scenarios, each about one thing that random conversations reach
// too seldom: rejects of every kind, fragments with tracking on and off, cut headers, MTU, TTL,
// refusals by routing, nat tables without NAT, odd headers. Both backends.
#include "analyzer/replay.hpp"
#include "twin_case.hpp"

namespace postern::kernel {
namespace {

const Case kCases[] = {
#include "engine_cases.inc"
#include "odd_header_cases.inc"
};

// The way out is narrower than the way in, and there is no default route.
constexpr RowWorld kNarrowRouter{
    R"([{"name":"lo"},{"name":"eth0","addresses":["192.0.2.1/24","2001:db8:1::1/64"]},
        {"name":"eth1","addresses":["198.51.100.1/24","2001:db8:2::1/64"],"mtu":1400}])",
    "[]"};

class EngineCase : public TwinCase {};

TEST_P(EngineCase, IsWhatLinuxDoes) {
  for (const char* backend : {"legacy", "nft"}) {
    const Scenario scenario = scenario_of(GetParam(), backend, kNarrowRouter);
    const auto engine = replay(scenario);
    ASSERT_TRUE(engine) << engine.error().message;
    ASSERT_EQ(engine->unmodelled, "");
    ASSERT_TRUE(engine->choices.empty()) << engine->choices[0].why;
    const auto document = run(scenario);
    ASSERT_TRUE(document) << document.error();
    std::string all;
    for (const std::string& line : differences(to_json(engine->report), *document))
      all += line + "\n";
    EXPECT_EQ(all, "") << GetParam().name << " with " << backend << " (left engine, right Linux)";
  }
}

INSTANTIATE_TEST_SUITE_P(Linux, EngineCase, testing::ValuesIn(kCases), case_name);

}  // namespace
}  // namespace postern::kernel
