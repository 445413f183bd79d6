// REJECT's tcp-reset of a segment to which conntrack has attached nothing (INVALID, UNTRACKED) is
// looked up in OUTPUT and closes the flow that it finds there, as on Linux (`replay --on-kernel`).
#include <gtest/gtest.h>

#include "query_fixture.hpp"

namespace postern {
namespace {

// No end's own reset comes to an entry: only what REJECT sends can close one.
Truth closed_behind(const std::string& raw, const std::string& state, const std::string& target) {
  const LoadedRuleset rules("reset.rules",
                            "*raw\n-A PREROUTING -p tcp --tcp-flags RST RST -j DROP\n" + raw +
                                "COMMIT\n*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT DROP\n"
                                "-A FORWARD -i eth0 -p tcp --syn -j ACCEPT\n"
                                "-A FORWARD -i eth1 -p tcp --tcp-flags ALL SYN,ACK -j ACCEPT\n"
                                "-A FORWARD -p tcp -m conntrack --ctstate " +
                                state + " -j " + target + "\nCOMMIT\n");
  return ask_one(rules,
                 "track -i eth0 -o eth1 -s 192.0.2.9 -d 198.51.100.9 -p tcp --dport 22 "
                 "--entry-state CLOSE")
      .truth;
}

constexpr const char* kReset = "REJECT --reject-with tcp-reset";

TEST(ResetLookup, ClosesTheFlowOfAnInvalidSegment) {
  EXPECT_EQ(closed_behind("", "INVALID", kReset), Truth::kUnknown);
  EXPECT_EQ(closed_behind("", "INVALID", "DROP"), Truth::kNo);
}

TEST(ResetLookup, ClosesTheFlowOfAnUntrackedSegment) {
  const std::string raw = "-A PREROUTING -p tcp --tcp-flags PSH PSH -j NOTRACK\n";
  EXPECT_EQ(closed_behind(raw, "UNTRACKED", kReset), Truth::kUnknown);
  EXPECT_EQ(closed_behind(raw, "UNTRACKED", "DROP"), Truth::kNo);
}

}  // namespace
}  // namespace postern
