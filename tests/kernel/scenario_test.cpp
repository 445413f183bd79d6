// The recorded scenarios of the format's description, on this kernel: the same documents.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "kernel_fixture.hpp"
#include "scenario/result.hpp"

namespace postern::kernel {
namespace {

class RecordedScenario : public KernelTest, public testing::WithParamInterface<const char*> {};

TEST_P(RecordedScenario, GivesTheRecordedDocument) {
  const auto directory = shared_directory();
  if (!directory) return;
  const std::string name = (*directory / "scenario-examples" / GetParam()).string();
  const Scenario scenario = read_one(name + ".json");
  const auto recorded = nlohmann::json::parse(read_text(name + ".kernel.json"));
  const auto document = run(scenario);
  ASSERT_TRUE(document) << document.error();
  expect_same(*document, recorded, "Linux and the record");
  EXPECT_EQ((*document)["meta"]["backend"], recorded["meta"]["backend"]);
  // Beyond what `differences` compares: what was seen on the way.
  for (std::size_t i = 0; i < recorded["packets"].size(); ++i) {
    const auto& packet = recorded["packets"][i];
    if (!packet.contains("trace")) continue;
    EXPECT_EQ((*document)["packets"][i]["trace"], packet["trace"]);
  }
}

INSTANTIATE_TEST_SUITE_P(Examples, RecordedScenario,
                         testing::Values("mixed", "sequence", "ipv6_nat"));

}  // namespace
}  // namespace postern::kernel
