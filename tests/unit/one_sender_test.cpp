// What `-m owner` asks has one value throughout one packet, inverted or not: no witness needs two.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query_fixture.hpp"

namespace postern {
namespace {

LoadedRuleset output(const std::string& filter) {
  return {"owner.rules", "*filter\n:OUTPUT DROP\n" + filter + "COMMIT\n"};
}

const char* const kOut = "deliver -o eth0 -p udp --dport 53";

TEST(OneSender, IsNotTwoUsersAtOnce) {
  const Answer a = ask_one(output("-A OUTPUT -m owner --uid-owner 1337 -j DROP\n"
                                  "-A OUTPUT -m owner ! --uid-owner 1337 -j DROP\n"
                                  "-A OUTPUT -j ACCEPT\n"),
                           kOut);
  EXPECT_EQ(a.truth, Truth::kUnknown) << to_text(a);
  EXPECT_EQ(to_text(a).find("bug in postern"), std::string::npos) << to_text(a);
}

TEST(OneSender, HasOneAnswerForEachTest) {
  const Answer a = ask_one(output("-A OUTPUT -m owner ! --uid-owner 1337 -j DROP\n"
                                  "-A OUTPUT -m owner --uid-owner 1337 -j ACCEPT\n"),
                           kOut);
  ASSERT_EQ(a.truth, Truth::kYes) << to_text(a);
  EXPECT_THAT(a.assumptions,
              testing::Contains("`owner: --uid-owner 1337` of filter OUTPUT 1 matches"));
}

TEST(OneSender, TestsOfOthersStayApart) {
  const Answer a = ask_one(output("-A OUTPUT -m owner ! --gid-owner 1337 -j DROP\n"
                                  "-A OUTPUT -m owner ! --uid-owner 1337 -j ACCEPT\n"),
                           kOut);
  EXPECT_EQ(a.truth, Truth::kYes) << to_text(a);
}

}  // namespace
}  // namespace postern
