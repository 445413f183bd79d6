// From sets to questions and from witnesses to rules: what the checks about flows share.
#include "analyzer/checks/flows.hpp"
#include "lint_fixture.hpp"
#include "net/protocol.hpp"

namespace postern {
namespace {

// A ruleset with all that the helpers ask for.
struct Fixture {
  explicit Fixture(const std::string& text) : bound(bound_text(text)) {
    program = *Program::compile(bound.ruleset);
    model = std::move(*Model::build(*program, {}, {}));
  }
  FlowPoint point(Path path, const PredicatePtr& m) {
    return canonical_point(model->space(), path, *model->question(path, m), true);
  }
  Bound bound;
  std::optional<Program> program;
  std::unique_ptr<Model> model;
};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

TEST(CanonicalPoint, IsOnePlainConnectionOverLo) {
  Fixture f(filter_table("-A INPUT -p tcp --dport 80 -j ACCEPT\n"));
  const FlowPoint point = f.point(Path::kLoopback, protocol_is(protocol::kTcp));
  EXPECT_EQ(joined(words_for(Verb::kDeliver, f.model->space(), Path::kLoopback, point)),
            "deliver -i lo -p tcp -s 127.0.0.1 -d 127.0.0.1 --sport 40000 --dport 80 "
            "--tcp-flags ALL SYN");
}

TEST(CanonicalPoint, TakesAHostOfANetworkNotItsOwnAddress) {
  Fixture f(filter_table("-A FORWARD -s 10.1.0.0/16 -d 10.2.0.0/16 -j ACCEPT\n"));
  const PredicatePtr between = all({masked(Field::kSource, 0x0a010000, 0xffff0000),
                                    masked(Field::kDestination, 0x0a020000, 0xffff0000)});
  const FlowPoint point = f.point(Path::kForward, between);
  EXPECT_EQ(to_decimal(point.at(Axis::kInitiator).value), to_decimal(0x0a010001));
  EXPECT_EQ(to_decimal(point.at(Axis::kResponder).value), to_decimal(0x0a020001));
}

TEST(OneHost, LeavesOutGroupsAndNobody) {
  Fixture f(filter_table("-A INPUT -s 0.0.0.0 -j ACCEPT\n-A INPUT -d 224.0.0.1 -j ACCEPT\n"));
  Space& space = f.model->space();
  EXPECT_TRUE(between_hosts(space, Path::kIn, space.values(Axis::kInitiator, 0, 0)).empty());
  EXPECT_TRUE(
      between_hosts(space, Path::kIn, space.values(Axis::kResponder, 0xe0000001, 0xe0000001))
          .empty());
}

TEST(WayTo, KnowsTheJumpsThatLeadThere) {
  Fixture f(
      filter_table("-N open\n-A INPUT -p tcp -j open\n-A open -m tcp -p tcp --dport 5 -j "
                   "ACCEPT\n"));
  const auto flows = flows_let_in(*f.model, Path::kIn, *f.program, 1);
  ASSERT_TRUE(flows);
  EXPECT_EQ(f.model->space().classes_in(*flows, Axis::kProtocol).size(), 1U);
  EXPECT_EQ(f.model->space().classes_in(*flows, Axis::kResponderPort).size(), 1U);
  EXPECT_TRUE(flows_let_in(*f.model, Path::kForward, *f.program, 1)->empty() == false ||
              !f.program->rules()[1].callee);
}

TEST(FlowsLetIn, DoNotHangOnStatesOrMarks) {
  Fixture f(
      filter_table("-A INPUT -p tcp --dport 80 -m state --state NEW -m mark --mark 1 -j "
                   "ACCEPT\n"));
  const auto flows = flows_let_in(*f.model, Path::kIn, *f.program, 0);
  ASSERT_TRUE(flows);
  const auto m = f.model->question(
      Path::kIn, all({protocol_is(protocol::kTcp), equals(Field::kDestinationPort, 80)}));
  const Set wanted = f.model->space().exists(*m, packet_axes());
  EXPECT_TRUE(f.model->space().bdd().subset(wanted, *flows));
}

}  // namespace
}  // namespace postern
