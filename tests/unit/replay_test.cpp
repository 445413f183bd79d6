// analyzer/replay: the engine gives, document by document, what Linux answered to the scripts of
// the corpus and to the examples of the scenario format; and says loudly what it does not model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "analyzer/replay_document.hpp"
#include "tests/support/required.hpp"
#include "tests/support/stories.hpp"
#include "vocabulary/registry.hpp"

namespace postern {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

std::string read_text(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

ScenarioFile read_file(const fs::path& path) {
  const SourceFile source(path.string(), read_text(path));
  auto file = read_scenarios(source, path.parent_path().string());
  EXPECT_TRUE(file) << render(file.error().front(), source);
  return file ? std::move(*file) : ScenarioFile{};
}

ScenarioFile from_text(const std::string& text) {
  const SourceFile source("scenario", text);
  auto file = read_scenarios(source, ".");
  EXPECT_TRUE(file) << render(file.error().front(), source);
  return file ? std::move(*file) : ScenarioFile{};
}

Json documents(const ScenarioFile& file) {
  auto document = replay_document(file);
  if (!document) {
    ADD_FAILURE() << document.error().front().message;
    return {};
  }
  return document->json;
}

class ReplayCorpus : public testing::TestWithParam<std::string> {};

TEST_P(ReplayCorpus, GivesWhatLinuxGave) {
  const fs::path base = fs::path(POSTERN_SOURCE_DIR) / "corpus";
  Json engine = documents(read_file(base / (GetParam() + ".json")));
  if (!engine.is_array()) engine = Json::array({engine});
  const Json expected = Json::parse(read_text(base / (GetParam() + ".expected.json")));
  ASSERT_EQ(engine.size(), expected.size());
  ASSERT_FALSE(expected.empty());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(differences(engine[i], expected[i]), std::vector<std::string>{}) << "scenario " << i;
  }
}

std::vector<std::string> all_scripts() {
  std::vector<std::string> names{
      "notrack/test1",          "notrack/test2", "notrack/test3", "notrack/test4",
      "notrack/test3-lockdown", "p2p/in",        "p2p/both",      "p2p/new-only"};
  for (const std::string& story : test::story_names()) names.push_back("stories/" + story);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Rulesets, ReplayCorpus, testing::ValuesIn(all_scripts()));

// The examples beside the scenario format's description; absent in a lone checkout.
class ReplayExamples : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto there = test::shared("scenario-examples")) examples_ = *there;
  }
  Scenario scenario(const std::string& name) {
    return read_file(examples_ / (name + ".json")).scenarios.at(0);
  }
  Json expected(const std::string& name) {
    return Json::parse(read_text(examples_ / (name + ".kernel.json")));
  }
  fs::path examples_;
};

TEST_F(ReplayExamples, MixedAndSequence) {
  for (const char* name : {"mixed", "sequence"}) {
    const Json recorded = expected(name);
    const auto engine = replay(scenario(name));
    ASSERT_TRUE(engine) << engine.error().message;
    const Json document = to_json(engine->report);
    EXPECT_EQ(differences(document, recorded), std::vector<std::string>{}) << name;
    for (std::size_t i = 0; i < recorded["packets"].size(); ++i) {
      const Json& packet = recorded["packets"][i];
      if (packet.contains("trace")) {
        EXPECT_EQ(document["packets"][i]["trace"], packet["trace"]) << name << i;
      }
    }
  }
}

TEST_F(ReplayExamples, TheIpv6PartOfIpv6Nat) {
  Scenario six = scenario("ipv6_nat");
  six.ruleset = "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n";  // both families: hits name theirs
  six.steps.erase(six.steps.begin(), six.steps.begin() + 4);
  const auto engine = replay(six);
  ASSERT_TRUE(engine) << engine.error().message;
  const Json document = to_json(engine->report);
  Json recorded = expected("ipv6_nat");
  for (std::size_t i = 0; i < 2; ++i) {
    Json left = {{"packets", {document["packets"][i]}}};
    Json right = {{"packets", {recorded["packets"][i + 4]}}};
    right["packets"][0]["conntrack"] = Json::array();  // of the IPv4 part
    EXPECT_EQ(differences(left, right), std::vector<std::string>{}) << i;
  }
}

TEST_F(ReplayExamples, AForeignHelperIsSaidToBeUnmodelled) {
  Scenario zoned = scenario("ipv6_nat");
  zoned.ruleset = "*raw\n-A PREROUTING -p udp -j CT --helper sip\nCOMMIT\n";
  const auto engine = replay(zoned);
  ASSERT_TRUE(engine);
  EXPECT_EQ(engine->unmodelled, "unmodelled: CT --helper sip");
  EXPECT_TRUE(engine->report.packets.empty());
  ScenarioFile file;
  file.scenarios.push_back(zoned);
  const auto document = replay_document(file);
  ASSERT_TRUE(document);
  EXPECT_EQ(document->exit_status, 3);
  EXPECT_EQ(document->json["error"], "unmodelled: CT --helper sip");
}

TEST(Replay, OpaqueMatchesTakeTheScenariosChoices) {
  const std::string text =
      R"({"ruleset":"*filter\n:INPUT DROP [0:0]\n-A INPUT -m frobnicate -j ACCEPT\nCOMMIT\n",
    "choices":[1,0],"packets":[{"in":"eth0","src":"192.0.2.9","dst":"192.0.2.1","proto":"udp","sport":1,"dport":2},
                               {"in":"eth0","src":"192.0.2.9","dst":"192.0.2.1","proto":"udp","sport":1,"dport":2}]})";
  const Json document = documents(from_text(text));
  EXPECT_EQ(document["packets"][0]["verdict"], "delivered");
  EXPECT_EQ(document["packets"][1]["verdict"], "dropped");
  EXPECT_EQ(document["meta"]["choices"], Json({1, 0}));
}

TEST(Replay, StepsAndObserveEnd) {
  const std::string text =
      R"({"ruleset":"*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m conntrack --ctstate NEW\nCOMMIT\n",
    "observe":"end","packets":[
      {"in":"eth0","src":"192.0.2.9","dst":"192.0.2.1","proto":"udp","sport":1,"dport":2},
      {"wait_ms":29000},{"in":"eth0","src":"192.0.2.9","dst":"192.0.2.1","proto":"udp","sport":1,"dport":2},
      {"wait_ms":31000},{"in":"eth0","src":"192.0.2.9","dst":"192.0.2.1","proto":"udp","sport":3,"dport":2},
      {"flush":"conntrack"},{"in":"eth0","src":"192.0.2.9","dst":"192.0.2.1","proto":"udp","sport":4,"dport":2}]})";
  const Json document = documents(from_text(text));
  EXPECT_EQ(document["packets"][1]["step"], "wait");
  EXPECT_FALSE(document["packets"][0].contains("rules"));
  EXPECT_EQ(document["rules"][0]["pkts"], 4);
  ASSERT_EQ(document["conntrack"].size(), 1U);
  EXPECT_EQ(document["conntrack"][0]["orig"]["sport"], 4);
}

TEST(Replay, BadRulesetsAndDevicesAreErrors) {
  const auto loop = replay_document(from_text(
      R"({"ruleset":"*filter\n:INPUT ACCEPT [0:0]\n:a - [0:0]\n-A a -j a\nCOMMIT\n","packets":[]})"));
  ASSERT_FALSE(loop);
  ASSERT_EQ(loop.error().size(), 1U);
  ASSERT_EQ(loop.error()[0].diagnostics.size(), 1U);
  EXPECT_EQ(loop.error()[0].diagnostics[0].code, "loop");
  ASSERT_NE(loop.error()[0].source, nullptr);
  EXPECT_THAT(render(loop.error()[0].diagnostics[0], *loop.error()[0].source),
              testing::HasSubstr("-A a -j a"));
  Scenario scenario;
  Packet packet;
  packet.in = "wan7";
  scenario.steps.emplace_back(packet);
  const auto missing = replay(scenario);
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, testing::HasSubstr("wan7"));
}

}  // namespace
}  // namespace postern
