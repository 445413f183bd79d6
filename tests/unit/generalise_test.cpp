// A generalised box holds only what is a yes, contains its witness and cannot be widened in its
// first field; canonical flows are the published ones.
#include "symbolic/sets/generalise.hpp"

#include <gtest/gtest.h>

#include "query_fixture.hpp"
#include "symbolic/witness/witness.hpp"

namespace postern {
namespace {

// Random-looking rules with holes in the middle of ranges, so that boxes are not trivial.
const char* const kRules =
    "*filter\n:INPUT DROP\n:OUTPUT ACCEPT\n"
    "-A INPUT -p udp -m udp --sport 100:200 --dport 53 -j DROP\n"
    "-A INPUT -s 198.51.100.0/24 -p udp -m udp --dport 50:60 -j ACCEPT\n"
    "-A INPUT -s 192.0.2.0/25 -p udp -m udp --sport 1000: --dport 40:70 -j ACCEPT\nCOMMIT\n";

TEST(Generalise, EveryPointOfTheBoxIsAYes) {
  const LoadedRuleset rules("boxes.rules", kRules);
  auto model = std::move(*Model::build(rules.program(), {}, {}));
  Space& space = model->space();
  Bdd& bdd = space.bdd();
  const ConnectAnswer answer = *model->connect(Path::kIn, *model->anything(Path::kIn));
  Set left = answer.flows.must;
  unsigned boxes = 0;
  // Peel box after box off the set of yes.
  while (!left.empty() && boxes < 20) {
    const FlowPoint flow = choose_flow(space, left, Path::kIn);
    const Set yes = answer.flows.must;
    const ClassBox box = widen(space, yes, flow.classes);
    const Set inside =
        bdd.both(bdd.both(box_set(space, box), flow_set(space, flow)), space.domain());
    EXPECT_FALSE(inside.empty()) << "the witness is in its box";
    Set all = bdd.both(box_set(space, box), space.domain());
    for (const auto& [axis, c] : flow.classes) {
      if (!box.contains(axis)) all = bdd.both(all, space.class_is(axis, c));
    }
    EXPECT_TRUE(bdd.subset(all, yes));
    left = bdd.minus(left, all);
    ++boxes;
  }
  EXPECT_GT(boxes, 2U);
}

TEST(Witness, CanonicalFlows) {
  const LoadedRuleset rules("boxes.rules", kRules);
  auto model = std::move(*Model::build(rules.program(), {}, {}));
  Space& space = model->space();
  const Set all = space.exists(*model->anything(Path::kIn), packet_axes());
  const FlowPoint flow = choose_flow(space, all, Path::kIn);
  const auto address = [&](Axis axis) { return Address{Family::kIpv4, flow.value(axis)}.text(); };
  EXPECT_EQ(address(Axis::kInitiator), "192.0.2.9");
  EXPECT_EQ(address(Axis::kResponder), "192.0.2.1");
  EXPECT_EQ(flow.value(Axis::kInitiatorPort), 40000U);
  EXPECT_EQ(flow.value(Axis::kResponderPort), 80U);
  EXPECT_EQ(flow.value(Axis::kProtocol), 6U);
  EXPECT_EQ(flow.initiator_interface, "eth0");
  EXPECT_EQ(flow.responder_interface, "");
}

TEST(Witness, ValuesOfAClass) {
  const ValueClass c{{{10, 20}, {40, 50}}, true, 10, 0};
  EXPECT_EQ(choose_value(c, {99, 45}), 45U);
  EXPECT_EQ(choose_value(c, {99}), 10U);
  EXPECT_EQ(choose_value(c, {99}, 30), 40U);
  EXPECT_EQ(choose_value(c, {}, 60), 10U);
}

}  // namespace
}  // namespace postern
