// Rules as formulas. With every field a constant a walk folds to true or false without Z3; opaques
// stay free, one for each evaluation.
#include "symbolic/proof/encode.hpp"

#include <gtest/gtest.h>

#include "net/protocol.hpp"
#include "query_fixture.hpp"

namespace postern {
namespace {

// A TCP SYN to port 80 on eth0, with no entry, as constants.
PacketTerms packet(Solver& s, u128 dport = 80, CtState state = CtState::kNew) {
  PacketTerms p;
  for (std::size_t f = 0; f < kFieldCount; ++f) {
    const auto field = static_cast<Field>(f);
    p[field] = s.number(0, field_width(field, Family::kIpv4));
  }
  p[Field::kProtocol] = s.number(protocol::kTcp, 8);
  p[Field::kTcpFlags] = s.number(tcp_flag::kSyn, 8);
  p[Field::kSource] = s.number(0xc0000209, 32);
  p[Field::kDestinationPort] = s.number(dport, 16);
  p[Field::kCtState] = s.number(static_cast<u128>(state), 3);
  p.in = s.number(1, kInterfaceBits);
  p.out = s.number(0, kInterfaceBits);
  return p;
}

struct Encoded {
  explicit Encoded(const std::string& filter, const std::string& raw = "")
      : rules("encode.rules", raw + "*filter\n:INPUT DROP\n:u -\n:v -\n" + filter + "COMMIT\n",
              Family::kIpv4),
        encoder(solver, rules.program(), {"", "eth0", "eth1"}, 1000) {}
  Term accepted(const PacketTerms& p) {
    return encoder.walk(Hook::kInput, TableName::kFilter, p).accepted;
  }
  Term accepted(u128 dport = 80) { return accepted(packet(solver, dport)); }
  LoadedRuleset rules;
  Solver solver;
  Encoder encoder;
};

TEST(Encode, ConstantsFoldWithoutZ3) {
  Encoded e("-A INPUT -s 192.0.2.0/24 -i eth+ -p tcp -m tcp --dport 80:90 --syn -j ACCEPT\n");
  EXPECT_EQ(e.accepted(80), Solver::kTrue);
  EXPECT_EQ(e.accepted(91), Solver::kFalse);
  PacketTerms other = packet(e.solver);
  other.in = e.solver.number(0, kInterfaceBits);
  EXPECT_EQ(e.accepted(other), Solver::kFalse);
  EXPECT_FALSE(e.solver.opened());
}

TEST(Encode, ReturnGotoAndPolicy) {
  Encoded returns(
      "-A INPUT -j u\n-A INPUT -j ACCEPT\n-A u -p tcp -m tcp --dport 80 -j RETURN\n-A u -j DROP\n");
  EXPECT_EQ(returns.accepted(80), Solver::kTrue);
  EXPECT_EQ(returns.accepted(81), Solver::kFalse);
  // The end of a chain that was reached by -g goes back to the caller of the chain with the goto.
  Encoded goes(
      "-A INPUT -j u\n-A INPUT -j ACCEPT\n-A u -g v\n-A u -j DROP\n-A v -p tcp -m tcp --dport 81 "
      "-j DROP\n");
  EXPECT_EQ(goes.accepted(80), Solver::kTrue);
  EXPECT_EQ(goes.accepted(81), Solver::kFalse);
  Encoded policy("-A INPUT -g v\n-A INPUT -j ACCEPT\n");
  EXPECT_EQ(policy.accepted(80), Solver::kFalse);
}

TEST(Encode, NotrackShowsInRawAndIsVoidWithAnEntry) {
  Encoded e("",
            "*raw\n:PREROUTING ACCEPT\n-A PREROUTING -p tcp -j NOTRACK\n"
            "-A PREROUTING -m conntrack --ctstate UNTRACKED -j DROP\nCOMMIT\n");
  const auto dropped = [&](CtState state) {
    return e.encoder.walk(Hook::kPrerouting, TableName::kRaw, packet(e.solver, 80, state)).dropped;
  };
  EXPECT_EQ(dropped(CtState::kInvalid), Solver::kTrue);
  EXPECT_EQ(dropped(CtState::kEstablished), Solver::kFalse);
}

TEST(Encode, EachEvaluationOfAnOpaqueIsItsOwn) {
  Encoded e("-A INPUT -m limit --limit 1/sec -j DROP\n-A INPUT -m limit --limit 1/sec -j ACCEPT\n");
  const WalkTerms walk = e.encoder.walk(Hook::kInput, TableName::kFilter, packet(e.solver));
  const std::array accepted{walk.accepted}, dropped{walk.dropped};
  EXPECT_EQ(e.solver.check(accepted, std::chrono::milliseconds{5000}), CheckResult::kSatisfiable);
  EXPECT_EQ(e.solver.check(dropped, std::chrono::milliseconds{5000}), CheckResult::kSatisfiable);
  const std::array both{walk.accepted, walk.dropped};
  EXPECT_EQ(e.solver.check(both, std::chrono::milliseconds{5000}), CheckResult::kUnsatisfiable);
}

TEST(Encode, SharedChainsAreEncodedOnce) {
  std::string text;
  for (int i = 0; i < 50; ++i)
    text += "-A u -p tcp -m tcp --dport " + std::to_string(1000 + i) + " -j RETURN\n";
  for (int i = 0; i < 50; ++i) text += "-A INPUT -i eth" + std::to_string(i % 2) + " -j u\n";
  Encoded e(text);
  PacketTerms p = packet(e.solver);
  p[Field::kDestinationPort] = e.solver.fresh_bits("dport", 16);
  p.in = e.solver.fresh_bits("in", kInterfaceBits);
  e.accepted(p);
  EXPECT_EQ(e.encoder.encoded_rules(), 100U);
}

}  // namespace
}  // namespace postern
