// No rule is called dead that the host's own answers meet: in raw OUTPUT they carry an entry, or
// are INVALID about what was UNTRACKED, whatever NOTRACK says (nf_ct_attach; kernel-facts 19, 43).
#include <gtest/gtest.h>

#include "lint_fixture.hpp"

namespace postern {
namespace {

struct Row {
  const char* name;
  const char* raw;  // rules of OUTPUT
  bool dead;        // the last of them
};

const Row kRows[] = {
    {"InvalidBehindNotrack", "-A OUTPUT -j NOTRACK\n-A OUTPUT -m state --state INVALID -j RETURN\n",
     false},
    {"BehindAllThatIsUntracked",
     "-A OUTPUT -j NOTRACK\n-A OUTPUT -m state --state UNTRACKED -j ACCEPT\n-A OUTPUT -p icmp -j "
     "DROP\n",
     false},
    {"RelatedInRaw", "-A OUTPUT -m state --state RELATED -j DROP\n", false},
    {"BehindEverything", "-A OUTPUT -j NOTRACK\n-A OUTPUT -j ACCEPT\n-A OUTPUT -p icmp -j DROP\n",
     true},
    {"NewInRaw", "-A OUTPUT -m state --state NEW -j DROP\n", true},
};

class HostAnswers : public ::testing::TestWithParam<Row> {};

TEST_P(HostAnswers, MeetRulesOfRaw) {
  const Linted linted(std::string("*raw\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n"
                                  "-A PREROUTING -p udp -j NOTRACK\n") +
                      GetParam().raw +
                      "COMMIT\n*filter\n:INPUT ACCEPT\n-A INPUT -m state --state NEW -j ACCEPT\n"
                      "-A INPUT -p udp -j REJECT\nCOMMIT\n");
  const std::size_t dead =
      linted.of("PST101").size() + linted.of("PST103").size() + linted.of("PST305").size();
  EXPECT_EQ(dead != 0, GetParam().dead);
}

INSTANTIATE_TEST_SUITE_P(Of, HostAnswers, ::testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace postern
