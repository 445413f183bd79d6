// What lint takes for granted, as its checks' pages say: each of these rules matches on a host that
// is less ordinary (docs/fidelity.md 36; seen on Linux 6.18).
#include <gtest/gtest.h>

#include "lint_fixture.hpp"

namespace postern {
namespace {

struct Row {
  const char* name;
  const char* rules;
  const char* check;
};

const Row kRows[] = {
    {"MarksOfLoopedPackets",
     "*mangle\n:OUTPUT ACCEPT\n-A OUTPUT -d 224.0.0.251 -p udp -j MARK --set-mark 7\nCOMMIT\n"
     "*filter\n:INPUT ACCEPT\n-A INPUT -i eth0 -m mark --mark 7 -j ACCEPT\nCOMMIT\n",
     "PST101"},
    {"LoopedPacketsAreUntracked",
     "*raw\n:OUTPUT ACCEPT\n-A OUTPUT -o eth0 -d 224.0.0.0/4 -j NOTRACK\nCOMMIT\n"
     "*filter\n:INPUT ACCEPT\n-A INPUT -i eth0 -m conntrack --ctstate UNTRACKED -j "
     "ACCEPT\nCOMMIT\n",
     "PST305"},
    {"AHopLimitThatOnlyABridgeKeeps",
     "*filter\n:FORWARD ACCEPT\n-A FORWARD -m ttl --ttl-eq 255 -j DROP\nCOMMIT\n", "PST103"},
};

class LintTakesForGranted : public ::testing::TestWithParam<Row> {};

TEST_P(LintTakesForGranted, AnOrdinaryHost) {
  const Linted linted(GetParam().rules);
  EXPECT_FALSE(linted.open(GetParam().check));
  EXPECT_EQ(linted.of(GetParam().check).size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Of, LintTakesForGranted, ::testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace postern
