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
    // Broadcasts and multicast over lo reach plain sockets.
    {"BroadcastOverLo", Family::kIpv4,
     "*filter\n:INPUT DROP\n-A INPUT -i lo -d 255.255.255.255 -j ACCEPT\nCOMMIT\n",
     "deliver -i lo -p udp"},
    // Of a network on lo each address is LOCAL, but only the host's own is refused as a source.
    {"LocalSource", Family::kIpv4,
     "*filter\n:INPUT DROP\n-A INPUT -m addrtype --src-type LOCAL -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p udp --path in"},
    // A socket that is bound to a device sends by it whatever routing says.
    {"BoundToADevice", Family::kIpv4,
     "*filter\n:OUTPUT DROP\n-A OUTPUT -o eth1 -m addrtype --dst-type LOCAL -j ACCEPT\nCOMMIT\n",
     "deliver -o eth1 -p udp --path out"},
    // What a raw socket sends with IP_NODEFRAG conntrack does not put together: it is INVALID.
    {"FragmentsPastConntrack", Family::kIpv4,
     "*filter\n:OUTPUT DROP\n-A OUTPUT -f -m conntrack --ctstate INVALID -j ACCEPT\nCOMMIT\n",
     "deliver -o eth1 -p udp -f --path out"},
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
