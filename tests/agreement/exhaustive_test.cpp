// Every ruleset of up to two rules over a small vocabulary, every sequence of three packets over a
// small header space: engine against packet sets. Whatever the engine delivers or tracks lies in
// the sets; what one packet alone does, the sets say exactly. A sample is asked as questions, too:
// their proofs are re-checked by Z3, their witnesses replayed.
// By default every 64th ruleset (POSTERN_STRIDE=1: all), from an offset that is printed
// (POSTERN_SEED repeats it).
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "../unit/query_fixture.hpp"
#include "engine/engine.hpp"
#include "net/protocol.hpp"

namespace postern {
namespace {

struct SmallRule {
  std::string table, chain, text;
};

std::vector<SmallRule> vocabulary() {
  std::vector<SmallRule> rules;
  const std::vector<std::string> stateless{"", " -p tcp --sport 1000", " -p tcp --dport 1000"};
  std::vector<std::string> all = stateless;
  for (const char* state : {"NEW", "ESTABLISHED", "UNTRACKED"}) {
    all.push_back(std::string(" -m conntrack --ctstate ") + state);
  }
  for (const char* chain : {"PREROUTING", "OUTPUT"}) {
    for (const std::string& match : stateless) {
      for (const char* target : {" -j NOTRACK", " -j n", " -g n"}) {
        rules.push_back({"raw", chain, match + target});
      }
    }
  }
  for (const char* chain : {"INPUT", "OUTPUT"}) {
    for (const std::string& match : all) {
      for (const char* target : {" -j ACCEPT", " -j DROP", " -j RETURN", " -j u", " -g u"}) {
        rules.push_back({"filter", chain, match + target});
      }
    }
  }
  return rules;
}

// The ruleset with these rules in order. Chain n untracks what does not come from port 2000; u
// accepts what is not new, drops what comes from port 1000.
std::string text_of(const std::vector<const SmallRule*>& rules) {
  std::string raw, filter;
  for (const SmallRule* rule : rules) {
    (rule->table == "raw" ? raw : filter) += "-A " + rule->chain + rule->text + "\n";
  }
  return "*raw\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n:n -\n" + raw +
         "-A n -p tcp --sport 2000 -j RETURN\n-A n -j NOTRACK\nCOMMIT\n*filter\n:INPUT DROP\n"
         ":OUTPUT ACCEPT\n:u -\n" +
         filter +
         "-A u -m conntrack ! --ctstate NEW -j ACCEPT\n-A u -p tcp --sport 1000 -j DROP\nCOMMIT\n";
}

constexpr std::uint16_t kPorts[2][2] = {{1000, 2000}, {2000, 1000}};
constexpr std::uint8_t kFlags[] = {tcp_flag::kSyn, tcp_flag::kSyn | tcp_flag::kAck, tcp_flag::kAck};

class SmallWorld {
 public:
  explicit SmallWorld(Path path) : path_(path) {
    const bool lo = path == Path::kLoopback;
    initiator_ = *Address::parse(lo ? "127.0.0.1" : "192.0.2.9");
    responder_ = *Address::parse(lo ? "127.0.0.1" : "192.0.2.1");
    world_.interfaces.push_back({"lo", {{*Address::parse("127.0.0.1"), 8}}, 65536});
    world_.interfaces.push_back({"eth0", {{*Address::parse("192.0.2.1"), 24}}, 1500});
    for (const auto& ports : kPorts) {
      for (const bool reply : {false, true}) {
        for (const std::uint8_t flags : kFlags) packets_.push_back(packet(ports, reply, flags));
      }
    }
  }

  // Nothing when the sets outgrow their limit. `cases` counts packets that were compared.
  void check(const LoadedRuleset& rules, std::uint64_t& cases) {
    auto built = Model::build(rules.program(), {}, {});
    ASSERT_TRUE(built.has_value());
    Model& model = **built;
    const Set all = *model.anything(path_);
    const DeliverAnswer deliver = *model.deliver(path_, all);
    const TrackAnswer track = *model.track(path_, all);
    ListChooser chooser;
    Engine engine(world_, &rules.program(), nullptr, chooser);
    for (unsigned flow = 0; flow < 2; ++flow) {
      Set points[3], whole = point(model.space(), flow, nullptr);
      for (unsigned f = 0; f < 3; ++f) points[f] = point(model.space(), flow, &kFlags[f]);
      for (unsigned sequence = 0; sequence < 6 * 6 * 3; ++sequence) {
        run(engine, model.space(), deliver, track, flow, points, whole, sequence, cases);
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  }

 private:
  Packet packet(const std::uint16_t (&ports)[2], bool reply, std::uint8_t flags) const {
    Packet p;
    p.source = reply ? responder_ : initiator_;
    p.destination = reply ? initiator_ : responder_;
    p.source_port = ports[reply ? 1 : 0];
    p.destination_port = ports[reply ? 0 : 1];
    if (path_ == Path::kIn && !reply) p.in = "eth0";
    p.flags = flags;
    p.seq = (reply ? 5000U : 1000U) + ((flags & tcp_flag::kSyn) != 0 ? 0U : 1U);
    p.ack = (flags & tcp_flag::kAck) != 0 ? (reply ? 1001U : 5001U) : 0U;
    return p;
  }

  Set point(Space& space, unsigned flow, const std::uint8_t* flags) const {
    Set s = kEverything;
    const auto at = [&](Axis axis, u128 value) {
      s = space.bdd().both(s, space.class_is(axis, *space.layout(axis).classes->of(value)));
    };
    at(Axis::kInitiator, initiator_.value);
    at(Axis::kResponder, responder_.value);
    at(Axis::kInitiatorPort, kPorts[flow][0]);
    at(Axis::kResponderPort, kPorts[flow][1]);
    at(Axis::kProtocol, protocol::kTcp);
    if (flags != nullptr) at(Axis::kTcpFlags, *flags);
    return s;
  }

  // One sequence: its first packet is one of the initiator's three, the others any of six.
  void run(Engine& engine, Space& space, const DeliverAnswer& deliver, const TrackAnswer& track,
           unsigned flow, const Set (&points)[3], Set whole, unsigned sequence,
           std::uint64_t& cases) const {
    const unsigned steps[3] = {sequence % 3, sequence / 3 % 6, sequence / 18};
    engine.flush(false);
    bool reached = false, honest = true;
    for (unsigned k = 0; k < 3; ++k) {
      const bool reply = steps[k] >= 3,
                 accepted = engine.run(packets_[flow * 6 + steps[k]]) != Verdict::kDropped;
      honest = honest && (!reply || reached);
      ++cases;
      if (!reply) {
        const Set here = points[steps[k]];
        const bool possible = !space.bdd().disjoint(here, deliver.packets.may);
        if (accepted && honest) {
          ASSERT_TRUE(possible) << "flow " << flow << " sequence " << sequence << " packet " << k;
        }
        if (k == 0) {
          ASSERT_EQ(accepted, !space.bdd().disjoint(here, deliver.by_depth.front()))
              << "flow " << flow << " flags " << unsigned{kFlags[steps[0]]};
        }
        reached = reached || accepted;
      }
      if (!engine.entries().empty()) {
        ASSERT_FALSE(space.bdd().disjoint(whole, track.flows.may))
            << "flow " << flow << " sequence " << sequence << " packet " << k;
      }
    }
  }

  Path path_;
  Address initiator_, responder_;
  Scenario world_;
  std::vector<Packet> packets_;
};

std::uint64_t from_environment(const char* name, std::uint64_t standard) {
  const char* text = std::getenv(name);
  return text == nullptr ? standard : std::strtoull(text, nullptr, 10);
}

// All rulesets of up to two rules; the order of two in different chains does not matter.
std::vector<std::vector<const SmallRule*>> rulesets(const std::vector<SmallRule>& rules) {
  std::vector<std::vector<const SmallRule*>> result{{}};
  for (const SmallRule& a : rules) {
    result.push_back({&a});
    for (const SmallRule& b : rules) {
      const bool same = a.table == b.table && a.chain == b.chain;
      if (same || &a < &b) result.push_back({&a, &b});
    }
  }
  return result;
}

TEST(Exhaustive, RulesetsOfTwoRulesAndSequencesOfThreePackets) {
  const std::uint64_t stride = from_environment("POSTERN_STRIDE", 64);
  const std::uint64_t seed = from_environment("POSTERN_SEED", std::random_device{}());
  const std::vector<SmallRule> rules = vocabulary();
  const auto all = rulesets(rules);
  std::uint64_t cases = 0, checked = 0, asked = 0, yes = 0;
  for (std::size_t i = seed % stride; i < all.size(); i += stride) {
    const std::string text = text_of(all[i]);
    SCOPED_TRACE("ruleset " + std::to_string(i) + ":\n" + text);
    const LoadedRuleset loaded("small.rules", text);
    for (const Path path : {Path::kIn, Path::kLoopback}) {
      SmallWorld(path).check(loaded, cases);
      if (HasFatalFailure()) return;
    }
    if (++checked % 10 != 0) continue;
    const std::string flow = checked % 20 == 0 ? " -i lo -p tcp --sport 1000 --dport 2000"
                                               : " -i eth0 --path in -p tcp --dport 1000";
    for (const char* verb : {"deliver", "connect", "track"}) {
      const Answer answer = ask_one(loaded, verb + flow);
      ASSERT_NE(answer.truth, Truth::kUnknown) << to_text(answer);
      ++asked;
      yes += answer.truth == Truth::kYes ? 1 : 0;
    }
  }
  std::printf("POSTERN_SEED=%llu: %llu of %zu rulesets, %llu packets, %llu questions (%llu yes)\n",
              static_cast<unsigned long long>(seed), static_cast<unsigned long long>(checked),
              all.size(), static_cast<unsigned long long>(cases),
              static_cast<unsigned long long>(asked), static_cast<unsigned long long>(yes));
  EXPECT_GE(checked, all.size() / stride);
  EXPECT_GE(cases, checked * 2 * 2 * 108 * 3);
  EXPECT_GT(asked, 0U);
  EXPECT_GT(yes, 0U);
  EXPECT_LT(yes, asked);
}

}  // namespace
}  // namespace postern
