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
    // A packet with TTL 1 passes PREROUTING, where a rule may raise it, before routing looks.
    {"TtlIsRaised", Family::kIpv4,
     "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -m ttl --ttl-gt 1 -j DROP\n"
     "-A PREROUTING -i eth0 -j TTL --ttl-inc 1\nCOMMIT\n",
     "deliver -i eth0 -p udp --path forward"},
    // Without conntrack IPv4 puts fragments together between PREROUTING and INPUT.
    {"PiecesBecomeOne", Family::kIpv4,
     "*raw\n:PREROUTING ACCEPT\n-A PREROUTING -m length --length 100:65535 -j DROP\nCOMMIT\n"
     "*filter\n:INPUT DROP\n-A INPUT -p udp -m length --length 101:65535 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p udp --path in"},
    // A wrong checksum or length makes it INVALID; no end takes it, but netfilter lets it pass.
    {"BrokenIsInvalid", Family::kIpv4,
     "*filter\n:INPUT DROP\n-A INPUT -p udp -m conntrack --ctstate INVALID -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p udp --path in"},
    // GRE of version 1 that carries no PPP.
    {"OddGreIsInvalid", Family::kIpv4,
     "*filter\n:INPUT DROP\n-A INPUT -p gre -m conntrack --ctstate INVALID -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p gre --path in"},
    // IPv6 without a next header.
    {"NoNextHeaderIsInvalid", Family::kIpv6,
     "*filter\n:INPUT DROP\n-A INPUT -p 59 -m conntrack --ctstate INVALID -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p 59 --path in"},
    // A redirect from a router quotes a flow as an error does.
    {"RedirectIsRelated", Family::kIpv6,
     "*filter\n:INPUT DROP\n-A INPUT -p udp -j ACCEPT\n"
     "-A INPUT -p icmpv6 --icmpv6-type 137 -m conntrack --ctstate RELATED -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p icmpv6 --icmpv6-type 137 --path in"},
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
