// The backend that runs a ruleset decides some questions: what each of them answers.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "query_fixture.hpp"
#include "tests/support/backend_cases.hpp"

namespace postern {
namespace {

class BackendSets : public ::testing::TestWithParam<BackendCase> {};

std::string answer_as(const BackendCase& one, Backend backend) {
  const LoadedRuleset rules(one.name, one.rules, one.family, backend);
  const Answer answer = ask_one(rules, one.question);
  EXPECT_EQ(answer.backend, backend);
  if (answer.truth == Truth::kYes && answer.scenario) {
    EXPECT_EQ(answer.scenario->backend, backend);
  }
  return std::string(answer.conditional ? "conditional" : text(answer.truth));
}

TEST_P(BackendSets, AnswerAsTheBackendDoes) {
  EXPECT_EQ(answer_as(GetParam(), Backend::kLegacy), GetParam().legacy);
  EXPECT_EQ(answer_as(GetParam(), Backend::kNft), GetParam().nft);
}

INSTANTIATE_TEST_SUITE_P(Cases, BackendSets, ::testing::ValuesIn(kBackendCases),
                         [](const auto& row) { return std::string(row.param.name); });

// Where conntrack is on, fragments are put together first.
TEST(Backend, TrackingLeavesNoFragments) {
  const std::string text =
      "*filter\n:FORWARD DROP\n-A FORWARD -m conntrack --ctstate NEW -p tcp -m tcp --dport 80 "
      "-j ACCEPT\nCOMMIT\n";
  for (const Backend backend : {Backend::kLegacy, Backend::kNft}) {
    const LoadedRuleset rules("tracked.rules", text, Family::kIpv4, backend);
    EXPECT_EQ(ask_one(rules, "deliver -i eth0 -o eth1 -p tcp -f").truth, Truth::kNo);
  }
}

// The kernel refuses it, but iptables-nft gives it a translation (Harness.NftReadsOtherProtocols).
TEST(Backend, ATranslatedMatchLoadsBesideAnInvertedProtocol) {
  const std::string text =
      "*filter\n:INPUT DROP\n-A INPUT ! -p tcp -m tcp --dport 80 -j ACCEPT\nCOMMIT\n";
  for (const Backend backend : {Backend::kLegacy, Backend::kNft}) {
    const LoadedRuleset rules("inverted.rules", text, Family::kIpv4, backend);
    const Answer answer = ask_one(rules, "deliver -i eth0 -p udp --path in");
    EXPECT_EQ(answer.truth, backend == Backend::kNft ? Truth::kYes : Truth::kNo);
    EXPECT_EQ(answer.conditional, backend == Backend::kNft);
  }
}

TEST(Backend, IsSaidInTheAnswer) {
  const std::string text = "*filter\n:INPUT DROP\nCOMMIT\n",
                    words = "deliver -i eth0 -p udp --path in";
  const Answer legacy = ask_one(LoadedRuleset("x", text, Family::kIpv4, Backend::kLegacy), words);
  const Answer nft = ask_one(LoadedRuleset("x", text, Family::kIpv4, Backend::kNft), words);
  EXPECT_EQ(to_json(legacy)["backend"], "legacy");
  EXPECT_EQ(to_json(nft)["backend"], "nft");
  EXPECT_EQ(to_text(legacy).find("iptables-nft"), std::string::npos);
  EXPECT_NE(to_text(nft).find("  as iptables-nft runs it\n"), std::string::npos);
}

}  // namespace
}  // namespace postern
