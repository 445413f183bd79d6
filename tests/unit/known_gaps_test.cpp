// What a `no` is known to leave out though Linux lets it through (docs/fidelity.md 36; each was
// seen with `replay --on-kernel`). A row that fails has been mended: it belongs into a test of what
// is true, and out of the ledger.
#include <gtest/gtest.h>

#include "query_fixture.hpp"

namespace postern {
namespace {

struct Gap {
  const char* name;
  Family family;
  const char* rules;
  const char* question;
};

const Gap kGaps[] = {
    // Over lo PREROUTING puts together what a raw socket has sent past conntrack (IP_NODEFRAG).
    {"PiecesPastConntrackOverLo", Family::kIpv4,
     "*filter\n:INPUT DROP\n:OUTPUT DROP\n-A OUTPUT -f -m conntrack --ctstate INVALID -j ACCEPT\n"
     "-A OUTPUT -p icmp -m length --length 28:36 -j ACCEPT\n-A INPUT -p icmp -m length --length "
     "60:65535 -j ACCEPT\nCOMMIT\n",
     "deliver -i lo -p icmp"},
};

class KnownGaps : public ::testing::TestWithParam<Gap> {};

TEST_P(KnownGaps, AreLeftOut) {
  const Gap& gap = GetParam();
  const LoadedRuleset rules(gap.name, gap.rules, gap.family);
  const Answer a = ask_one(rules, gap.question);
  EXPECT_EQ(a.truth, Truth::kNo) << "mended: take it out of docs/fidelity.md\n" << to_text(a);
}

INSTANTIATE_TEST_SUITE_P(Of, KnownGaps, ::testing::ValuesIn(kGaps),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace postern
