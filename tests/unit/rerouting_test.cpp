// lib/symbolic/nat/rerouting: which device rules see of packets that NAT routes again.
#include "symbolic/nat/rerouting.hpp"

#include <gtest/gtest.h>

#include "query_fixture.hpp"

namespace postern {
namespace {

using enum FlowEnd;
constexpr auto kFlow = SeenDevice::kOfFlow, kWire = SeenDevice::kSomeWire, kAny = SeenDevice::kAny,
               kLo = SeenDevice::kLoopback;

// Rule 0 gives another destination, rule 1 another source.
class Rerouting : public testing::Test {
 protected:
  NatVariant bound(std::optional<RuleId> destination, std::optional<RuleId> source,
                   FlowEnd originator = kInitiator) const {
    NatVariant nat;
    nat.originator = originator;
    if (destination) nat.destination = to_.range_of(*destination, Hook::kOutput);
    if (source) nat.source = to_.range_of(*source, Hook::kPostrouting);
    return nat;
  }
  // At the hooks of the path, in their order.
  std::vector<SeenDevice> seen(Path flow_path, FlowEnd sender, const NatVariant& nat) const {
    const Path own = sender == kInitiator ? flow_path : reverse(flow_path);
    std::vector<SeenDevice> result;
    for (const Hook hook : hooks(own)) {
      result.push_back(seen_device(hook, flow_path, sender, nat, to_));
    }
    return result;
  }

 private:
  LoadedRuleset rules_{"rerouting.rules",
                       "*nat\n:OUTPUT ACCEPT\n:POSTROUTING ACCEPT\n"
                       "-A OUTPUT -p tcp -j DNAT --to-destination 192.0.2.7\n"
                       "-A POSTROUTING -p tcp -j SNAT --to-source 203.0.113.7\nCOMMIT\n"};
  Translations to_{rules_.program()};
};

using Devices = std::vector<SeenDevice>;

TEST_F(Rerouting, WhatIsForwardedKeepsItsDevices) {
  const Devices flow(3, kFlow);
  for (const FlowEnd originator : {kInitiator, kResponder}) {
    for (const FlowEnd sender : {kInitiator, kResponder}) {
      EXPECT_EQ(seen(Path::kForward, sender, bound(0, 1, originator)), flow);
    }
  }
}

TEST_F(Rerouting, NothingIsReroutedWithoutNat) {
  for (const FlowEnd sender : {kInitiator, kResponder}) {
    EXPECT_EQ(seen(Path::kOut, sender, {}), Devices(2, kFlow));
    EXPECT_EQ(seen(Path::kIn, sender, {}), Devices(2, kFlow));
  }
}

TEST_F(Rerouting, WhatTheHostSendsElsewhereLeavesAndIsAnsweredBySomeWire) {
  EXPECT_EQ(seen(Path::kOut, kInitiator, bound(0, {})), (Devices{kFlow, kWire}));
  EXPECT_EQ(seen(Path::kOut, kResponder, bound(0, {})), (Devices{kWire, kWire}));
  // The same flow, asked from its other end.
  EXPECT_EQ(seen(Path::kIn, kResponder, bound(0, {}, kResponder)), (Devices{kFlow, kWire}));
  EXPECT_EQ(seen(Path::kIn, kInitiator, bound(0, {}, kResponder)), (Devices{kWire, kWire}));
}

TEST_F(Rerouting, AnswersAreFirstRoutedToWhatTheSourceBecame) {
  EXPECT_EQ(seen(Path::kIn, kInitiator, bound({}, 1)), (Devices{kFlow, kFlow}));
  EXPECT_EQ(seen(Path::kIn, kResponder, bound({}, 1)), (Devices{kAny, kFlow}));
  EXPECT_EQ(seen(Path::kLoopback, kInitiator, bound({}, 1)), (Devices{kFlow, kLo, kLo, kLo}));
  EXPECT_EQ(seen(Path::kLoopback, kResponder, bound({}, 1)), (Devices{kAny, kLo, kLo, kLo}));
}

TEST_F(Rerouting, ADestinationOnLoIsSeenThereBehindOutput) {
  EXPECT_EQ(seen(Path::kLoopback, kInitiator, bound(0, {})), (Devices{kFlow, kLo, kLo, kLo}));
  EXPECT_EQ(seen(Path::kLoopback, kResponder, bound(0, {})), (Devices{kFlow, kLo, kLo, kLo}));
}

}  // namespace
}  // namespace postern
