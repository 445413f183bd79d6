// An adversary against the packet sets: for random rulesets (adversary.hpp) the sets of everything
// that can be delivered, held or tracked on a path are computed once, and then the engine runs
// random sequences of the flows' ends. Whatever comes about must lie in the sets (`may`) or be left
// open (`unmodelled`): else some question would be answered `no` and be wrong. Some are also asked
// whole questions: witnesses must replay (unconditional ones whatever opaques say), Z3 must agree.
// The seed is printed; POSTERN_SEED repeats a run, POSTERN_ROUNDS sets its length.
#include "adversary.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <random>

#include "../unit/query_fixture.hpp"
#include "adversary_dead.hpp"
#include "adversary_goal.hpp"
#include "adversary_helpers.hpp"
#include "adversary_points.hpp"
#include "adversary_tally.hpp"
#include "scenario/result.hpp"
#include "tests/support/random_traffic.hpp"
#include "tests/support/seed.hpp"

namespace postern {
namespace {

class RandomChooser : public Chooser {
 public:
  explicit RandomChooser(Dice& dice) : dice_(dice) {}
  std::uint64_t choose(const Choice& question) override {
    return dice_.below(static_cast<unsigned>(question.options));
  }

 private:
  Dice& dice_;
};

struct Sets {
  DeliverAnswer deliver;
  ConnectAnswer connect;
  TrackAnswer track;
  std::map<std::string, TrackAnswer> by_state;
  Goal goal;
  Set errors_led_here = kNothing;
  std::optional<DeliverAnswer> arrived = std::nullopt;
  std::optional<ConnectAnswer> connected = std::nullopt;  // ... the first packet arrived
  std::optional<TrackAnswer> led = std::nullopt;          // ... whose entries lead there
};

bool covers(Space& space, const Triple& t, Set where) {
  return !space.bdd().disjoint(where, space.bdd().either(t.may, t.unmodelled));
}

class Attack {
 public:
  Attack(const LoadedRuleset& rules, Model& model, const Sets& sets, const Scenario& world,
         const AttackedFlow& flow, Dice& dice, Tally& tally)
      : rules_(rules),
        space_(model.space()),
        sets_(sets),
        world_(world),
        flow_(flow),
        dice_(dice),
        tally_(tally),
        points_(space_, flow) {}

  // deliver: the far end speaks only once reached; track: both are free.
  void sequence(bool honest) {
    RandomChooser chooser(dice_);
    Engine engine = make(chooser);
    Attacker attacker(dice_, flow_);
    bool reached = false;
    std::string log;
    if (helped_ && dice_.chance(80)) announce(engine, log);
    // A master with the flow's own ports leaves the flow's entry, on another path than NAT's.
    if (flow_.led_here() && std::ranges::any_of(engine.entries(), [&](const EntryReport& entry) {
          return of_flow(entry, flow_, helped_);
        })) {
      return;
    }
    const unsigned length = 1 + dice_.below(7);
    for (unsigned k = 0; k < length; ++k) {
      if (k > 0 && dice_.chance(5)) {
        engine.wait(500'000'000);
        log += "  wait\n";
      }
      if (k > 0 && dice_.chance(15)) {
        if (const auto error = attacker.error()) {
          const PacketReport report = inject(engine, *error);
          log += "  error type " + std::to_string(error->type) + " " + error->source.text() +
                 " > " + error->destination.text() + ": " + std::string(text(report.verdict)) +
                 "\n";
          ++tally_.errors;
          if (honest) related(*error, report, log);
          entries(engine, log, honest);
          continue;
        }
      }
      const bool reply = k > 0 && dice_.chance(45) && (!honest || reached);
      Packet packet = attacker.packet(reply);
      bool answers = false;
      if (k > 0 && dice_.chance(90)) {
        answers = answer_under_nat(packet, reply, flow_, engine.entries());
        if (answers) ++tally_.answers;
      }
      if (reply && !answers && flow_.led_here()) continue;
      const PacketReport report = inject(engine, packet);
      if (to_lo_ && report.died_at == "after PREROUTING") ++tally_.refused;
      if (!went_along(report, reply ? reverse(flow_.path) : flow_.path)) {
        // What NAT sent another way may leave an entry that later packets of this way are INVALID
        // to.
        log += "  another way\n";
        ++tally_.strays;
        if (honest && !reply && flow_.path == Path::kLoopback && !report.out.empty()) {
          error_back(engine, report.out.front().first, log);
        }
        if (reply && !answers) ++tally_.turned;
        if (reply && !answers && met_range(rules_.program(), trace_)) ++tally_.led_off;
        if (!honest) break;
        continue;
      }
      const bool accepted = report.verdict != Verdict::kDropped;
      if (reply && !answers && accepted && met_range(rules_.program(), trace_)) ++tally_.kept;
      for (const EntryReport& entry : engine.entries()) {
        if (!of_flow(entry, flow_, helped_) || (entry.status & ct_status::kExpected) == 0) continue;
        ++tally_.expected;
        if (space_.classes().zones.some()) ++tally_.beside_zones;
        if (entry.zone != 0) ++tally_.expected_zoned;
      }
      if (!reply && accepted && is_related(report)) {
        ++tally_.expected_through;
        if (follows_master(engine)) ++tally_.followed_through;
        if (expected_in_zone(engine)) ++tally_.expected_zoned_through;
      }
      log += std::string(reply ? "  < " : "  > ") + flags_text(packet.flags) + " seq " +
             std::to_string(packet.seq) + " ack " + std::to_string(packet.ack) + " ttl " +
             std::to_string(packet.ttl) + " tos " + std::to_string(packet.tos) + " length " +
             std::to_string(ip_length(packet)) + (packet.bad_checksum ? " bad" : "") + ": " +
             std::string(text(report.verdict)) + " " + report.died_at + "\n";
      ++tally_.packets;
      note_hops(tally_, reply ? reverse(flow_.path) : flow_.path, packet.ttl, report);
      if (packet.protocol == protocol::kSctp && accepted) ++tally_.sctp_through;
      if (!reply && accepted && !answers && counts(packet, flow_.path)) {
        reached = reached || heard(packet);
        ++tally_.delivered;
        if (honest) {
          ASSERT_TRUE(covers(space_, sets_.deliver.packets, points_.packet(packet)))
              << "delivered, but not in the sets: " << describe(flow_) << "\n"
              << log;
          if (sets_.arrived && arrives(report)) {
            ++tally_.arrived;
            if (sets_.goal.destination != packet.destination) ++tally_.arrived_moved;
            ASSERT_TRUE(covers(space_, sets_.arrived->packets, points_.packet(packet)))
                << "arrived as asked, but not in the sets: " << describe(flow_) << "\n"
                << log;
          }
        }
      }
      if (!honest) entries(engine, log, honest);
      if (honest && !reply && !report.delivered.empty() && flow_.path == Path::kLoopback &&
          dice_.chance(20)) {
        error_back(engine, report.delivered.front(), log);
      }
      if (honest && !reply && report.verdict == Verdict::kForwarded && dice_.chance(30) &&
          report.out.front().first.source != packet.source) {
        error_led(engine, report.out.front().first, log);
      }
    }
    ++tally_.sequences;
  }

  void conversation() {
    RandomChooser chooser(dice_);
    Engine engine = make(chooser);
    std::string log;
    if (helped_ && dice_.chance(80)) announce(engine, log);
    Attacker attacker(dice_, flow_);
    bool as_asked = false, bound = false;
    std::optional<Packet> opening;  // as the far end heard it
    for (unsigned k = 0;; ++k) {
      auto packet = attacker.honest(k);
      if (!packet && k == 0) return;
      if (!packet) break;
      const bool reply = replies(flow_.protocol, k);
      const bool answers = reply && answer_under_nat(*packet, true, flow_, engine.entries());
      if (reply && !answers && flow_.led_here()) return;
      bound = bound || answers;
      const PacketReport report = inject(engine, *packet);
      if (report.verdict == Verdict::kDropped) return;
      if (k == 0) as_asked = arrives(report);
      if (!went_along(report, reply ? reverse(flow_.path) : flow_.path)) return;
      const Packet* got = arrived(report);
      if (got == nullptr) continue;
      // What DNAT leads to another is no answer to this one. Untracked, INVALID, or in a zone
      // without its entry, it was not translated back: to its receiver another flow's.
      if (reply && (got->destination != flow_.initiator || !is_from(*got))) return;
      if (k == 0) opening = *got;
      // Nor is a packet that NAT treats otherwise than the first.
      if (!reply && opening && !same_ends(*got, *opening)) return;
    }
    ++tally_.talks;
    if (flow_.protocol == protocol::kSctp) ++(bound ? tally_.sctp_talks_bound : tally_.sctp_talks);
    ASSERT_TRUE(covers(space_, sets_.connect.flows, points_.flow()))
        << "a conversation, but not in the sets: " << describe(flow_);
    if (!as_asked || !sets_.connected) return;
    ASSERT_TRUE(covers(space_, sets_.connected->flows, points_.flow()))
        << "a conversation with whom was asked, but not in the sets: " << describe(flow_);
  }

  // CT --helper rules: the flow may be announced first.
  void help() { helped_ = true; }
  // What lint calls dead; must outlive this.
  void watch(const DeadRules& dead) { dead_ = &dead; }
  // Some DNAT rule leads to 127.0.0.1.
  void lead_to_lo() { to_lo_ = true; }

 private:
  // Beside zones another flow of these ends may stand: its answers, where they find no entry.
  bool by_ports() const { return helped_ || space_.classes().zones.some(); }
  PacketReport inject(Engine& engine, const Packet& packet) {
    trace_.clear();
    engine.set_trace(&trace_);
    PacketReport report = engine.inject(packet);
    note_odd(tally_, packet, report);
    if (dead_ != nullptr) {
      const std::string rule = dead_->matched(trace_);
      EXPECT_EQ(rule, "") << "is matched, but was called dead: " << describe(flow_);
    }
    return report;
  }
  // Has the packet the headers of an answer of the flow?
  bool is_from(const Packet& packet) const {
    const bool ports = has_ports(tracker_of(flow_.protocol));
    return packet.source == flow_.responder && packet.destination == flow_.initiator &&
           (!ports || (packet.source_port == flow_.responder_port &&
                       packet.destination_port == flow_.initiator_port));
  }
  bool arrives(const PacketReport& report) const {
    const Packet* packet = arrived(report);
    const Goal& goal = sets_.goal;
    if (packet == nullptr || packet->destination != goal.destination) return false;
    if (!goal.port) return true;
    return has_ports(tracker_of(flow_.protocol)) && packet->destination_port == *goal.port;
  }
  static bool is_related(const PacketReport& report) {
    return std::ranges::any_of(report.state,
                               [](const auto& at) { return at.second == CtState::kRelated; });
  }
  bool follows_master(const Engine& engine) const {
    constexpr std::uint16_t kNat = ct_status::kSourceNat | ct_status::kDestinationNat;
    return std::ranges::any_of(engine.entries(), [&](const EntryReport& e) {
      return of_flow(e, flow_, true) && (e.status & ct_status::kExpected) != 0 &&
             (e.status & kNat) != 0;
    });
  }
  bool expected_in_zone(const Engine& engine) const {
    return std::ranges::any_of(engine.entries(), [&](const EntryReport& e) {
      return of_flow(e, flow_, true) && (e.status & ct_status::kExpected) != 0 && e.zone != 0;
    });
  }
  // An answer to the flow that began so, if NAT has bound that.
  static void answer_to(const Packet& first, const Engine& engine, Packet& answer) {
    for (const EntryReport& e : engine.entries()) {
      const TupleReport& t = e.original;
      if (t.source != first.source || t.destination != first.destination ||
          t.source_port != first.source_port || t.destination_port != first.destination_port) {
        continue;
      }
      if (e.reply.source == first.destination && e.reply.destination == first.source) continue;
      answer.source = e.reply.source;
      answer.destination = e.reply.destination;
      answer.source_port = *e.reply.source_port;
      answer.destination_port = *e.reply.destination_port;
      answer.in = wire_of(answer.source);
    }
  }
  // A flow that does not touch this one, and may announce it.
  void announce(Engine& engine, std::string& log) {
    const auto lines = Masters(dice_, flow_).conversation();
    for (const auto& [said, answers] : lines) {
      Packet packet = said;
      if (answers) answer_to(lines.front().packet, engine, packet);
      const PacketReport report = engine.inject(packet);
      log += "  master " + packet.source.text() + ":" + std::to_string(packet.source_port) + " > " +
             packet.destination.text() + ":" + std::to_string(packet.destination_port) + " " +
             std::string(packet.payload.begin(), packet.payload.end()) + ": " +
             std::string(text(report.verdict)) + "\n";
    }
    ++tally_.helped;
  }
  Engine make(Chooser& chooser) {
    const bool v4 = flow_.family == Family::kIpv4;
    return Engine(world_, v4 ? &rules_.program() : nullptr, v4 ? nullptr : &rules_.program(),
                  chooser);
  }
  // An error that the outsider sends is a packet of another flow.
  void related(const Packet& error, const PacketReport& report, const std::string& log) {
    const bool redirect = error.type == kIcmpv6Redirect && error.protocol == protocol::kIcmpv6;
    if (flow_.initiator == flow_.responder) return;
    if (!redirect && error.source != flow_.initiator) return;
    if (report.verdict == Verdict::kDropped || !went_along(report, flow_.path)) return;
    ++tally_.related;
    if (space_.classes().zones.pairs().size() > 1) ++tally_.errors_zoned;
    AttackedFlow of = flow_;
    of.initiator = error.source;
    of.protocol = error.protocol;
    of.icmp_type = error.type;
    of.icmp_code = error.code;
    Points points(space_, of);
    ASSERT_TRUE(covers(space_, sets_.deliver.packets, points.packet(error)))
        << "an error is delivered, but not in the sets: " << describe(of) << "\n"
        << log << fared(error, report);
  }
  // Another process of this host tells the opener of an error about what it has said.
  void error_back(Engine& engine, const Packet& about, const std::string& log) {
    const auto own = flow_.family == Family::kIpv4
                         ? dice_.of<std::string>({"127.0.0.1", "192.0.2.1", "198.51.100.1"})
                         : dice_.of<std::string>({"::1", "2001:db8:1::1", "2001:db8:2::1"});
    const auto [error, of] =
        error_about(about, flow_, {*Address::parse(own), flow_.initiator, "lo", "lo"});
    const PacketReport report = inject(engine, error);
    if (report.verdict != Verdict::kDelivered || error.source == error.destination) return;
    ++tally_.errors_back;
    Points points(space_, of);
    ASSERT_TRUE(covers(space_, sets_.deliver.packets, points.packet(error)))
        << "an error to the opener is delivered, but not in the sets: " << describe(of) << "\n"
        << log << fared(error, report);
  }
  // Whoever is behind the wire that the flow leaves by tells its opener of an error.
  void error_led(Engine& engine, const Packet& left, const std::string& log) {
    const char* other = flow_.family == Family::kIpv4 ? "198.51.100.19" : "2001:db8:2::19";
    const Address from = dice_.chance(50) ? flow_.responder : *Address::parse(other);
    const auto [error, of] = error_about(
        left, flow_, {from, left.source, flow_.responder_interface, flow_.initiator_interface});
    const PacketReport report = inject(engine, error);
    if (report.verdict != Verdict::kForwarded || of.responder_interface == of.initiator_interface) {
      return;
    }
    ++tally_.errors_led;
    Points points(space_, of);
    const Set point = points.packet(error);
    ASSERT_TRUE(covers(space_, sets_.deliver.packets, point) ||
                !space_.bdd().disjoint(sets_.errors_led_here, point))
        << "an error to what NAT made of the opener is forwarded, but not in the sets: "
        << describe(of) << "\n"
        << log << fared(error, report);
  }
  void entries(Engine& engine, const std::string& log, bool honest) {
    if (honest) return;
    unsigned standing = 0;
    bool under_nat = false;
    for (const EntryReport& entry : engine.entries()) {
      if (!of_flow(entry, flow_, by_ports())) continue;
      const bool followed = space_.classes().zones.some();
      const bool bound = (entry.status & (ct_status::kSourceNat | ct_status::kDestinationNat)) != 0;
      under_nat = under_nat || bound;
      if (followed && ++standing == 2) ++(under_nat ? tally_.several_bound : tally_.several);
      if (followed && entry.zone != 0) ++(bound ? tally_.zoned_bound : tally_.zoned);
      if (followed && entry.zone != 0 && bound && !entry.unreplied()) ++tally_.found_bound;
      ++tally_.entries;
      tally_.note_nat(entry, flow_.path);
      note_protocol(tally_, entry);
      ASSERT_TRUE(covers(space_, sets_.track.flows, points_.flow()))
          << "an entry, but not in the sets: " << describe(flow_) << "\n"
          << log;
      if (sets_.led && leads(entry, flow_, sets_.goal)) {
        ++tally_.entries_led;
        if (sets_.goal.destination != flow_.responder) ++tally_.entries_led_off;
        ASSERT_TRUE(covers(space_, sets_.led->flows, points_.flow()))
            << "an entry that leads there, but not in the sets: " << describe(flow_) << "\n"
            << log;
      }
      const auto at = sets_.by_state.find(entry.state);
      if (at == sets_.by_state.end()) continue;
      ASSERT_TRUE(covers(space_, at->second.flows, points_.flow()))
          << "an entry in " << entry.state << ", but not in the sets: " << describe(flow_) << "\n"
          << log;
    }
  }

  const LoadedRuleset& rules_;
  Space& space_;
  const Sets& sets_;
  const Scenario& world_;
  const AttackedFlow& flow_;
  Dice& dice_;
  Tally& tally_;
  Points points_;
  const DeadRules* dead_ = nullptr;
  Trace trace_;
  bool helped_ = false, to_lo_ = false;
};

void ask_about(const LoadedRuleset& rules, const QueryOptions& options, const AttackedFlow& flow,
               const std::string& words, Dice& dice, Tally& tally) {
  const Question q = question_of(words, flow.family);
  SCOPED_TRACE(q.text);
  Prover prover(rules.program(), options);
  Answer a;
  try {
    a = prover.ask(q, flow.path);
  } catch (const std::exception& wrong) {  // here the question and the ruleset are in the trace
    FAIL() << wrong.what();
  }
  ++tally.asked;
  (a.truth == Truth::kYes ? tally.yes : a.truth == Truth::kNo ? tally.no : tally.unknown) += 1;
  if (a.truth != Truth::kYes || a.conditional) return;
  for (unsigned i = 0; i < 5; ++i) {
    RandomChooser chooser(dice);
    const bool v4 = flow.family == Family::kIpv4;
    Engine engine(*a.scenario, v4 ? &rules.program() : nullptr, v4 ? nullptr : &rules.program(),
                  chooser);
    for (std::size_t k = 0; k < a.witness.size(); ++k) {
      if (a.witness[k].wait_ms) engine.wait(*a.witness[k].wait_ms);
      const PacketReport report = engine.inject(a.witness[k].packet);
      if (k + 1 < a.witness.size() && q.verb != Verb::kConnect) continue;
      if (q.verb == Verb::kTrack) {
        ASSERT_FALSE(engine.entries().empty()) << to_text(a);
      } else {
        ASSERT_NE(report.verdict, Verdict::kDropped) << to_text(a);
      }
    }
  }
}

// Computes the sets of one path; nullopt when they outgrow their limit.
std::optional<Sets> solve(Model& model, const AttackedFlow& flow, const Goal& goal, bool arrivals) {
  const auto all = model.anything(flow.path);
  if (!all) return std::nullopt;
  const auto errors = model.errors_led_here(flow.path, constant(true));
  if (!errors) return std::nullopt;
  const auto followed = model.errors_to_openers(flow.path);
  if (!followed) return std::nullopt;
  Bdd& bdd = model.space().bdd();
  auto deliver = model.deliver(flow.path, bdd.either(*all, bdd.both(errors->asked, *followed)));
  auto connect = model.connect(flow.path, *all);
  auto track = model.track(flow.path, *all);
  if (!deliver || !connect || !track) return std::nullopt;
  Sets sets{std::move(*deliver), std::move(*connect), std::move(*track), {}, goal};
  sets.errors_led_here = errors->open;
  if (arrivals) {
    auto arrived = model.deliver(flow.path, *all, goal.predicate());
    auto connected = model.connect(flow.path, *all, goal.predicate());
    auto led = model.track(flow.path, *all, {}, goal.predicate());
    if (!arrived || !connected || !led) return std::nullopt;
    sets.led = std::move(*led);
    sets.arrived = std::move(*arrived);
    sets.connected = std::move(*connected);
  }
  for (const char* state : {"SYN_SENT", "SYN_RECV", "ESTABLISHED", "TIME_WAIT", "CLOSE",
                            "COOKIE_WAIT", "SHUTDOWN_RECD"}) {
    auto answer = model.track(flow.path, *all, state);
    if (!answer) return std::nullopt;
    sets.by_state.emplace(state, std::move(*answer));
  }
  return sets;
}

void round(const Draw& how, Dice& dice, Tally& tally) {
  const bool reports = dice.chance(how.reports);
  const Family family = !reports && dice.chance(70) ? Family::kIpv4 : Family::kIpv6;
  Path path = reports ? Path::kForward : static_cast<Path>(dice.below(4));
  AdversaryRules draw(dice, family, how.zones);
  std::string text = dice.chance(how.nat) ? draw.translated(path) : draw.text();
  const bool helpers = dice.chance(how.helpers);
  if (helpers && dice.chance(60)) {
    text = plain_rules(dice, family);
    if (dice.chance(60)) {
      text += plain_nat(dice, family);
      if (dice.chance(60)) path = Path::kForward;  // where most of that meets an announced flow
    }
  }
  const bool led = helpers && text.find("*nat\n") != std::string::npos;
  if (helpers) text = with_helpers(text, dice, family, how.zones);
  Scenario world = kernel::random_world(dice);
  world.forwarding = true;
  if (dice.chance(15)) world.sysctl["net/netfilter/nf_conntrack_tcp_ignore_invalid_rst"] = "1";
  if (dice.chance(15)) world.sysctl["net/netfilter/nf_conntrack_checksum"] = "0";
  SCOPED_TRACE("backend " + std::string(postern::text(world.backend)) + ", loose=0: " +
               std::to_string(world.sysctl.count("net/netfilter/nf_conntrack_tcp_loose")) +
               ", liberal: " +
               std::to_string(world.sysctl.count("net/netfilter/nf_conntrack_tcp_be_liberal")) +
               "\n" + text);
  const LoadedRuleset rules("random.rules", text, family, world.backend);
  QueryOptions options;
  options.strict = true;
  options.sysctl = world.sysctl;
  const auto next_flow = [&] {
    AttackedFlow f = random_flow(dice, family, path, world.backend);
    if (reports) {
      f.protocol = protocol::kIcmpv6;
      f.icmp_type = 143;
    }
    if (led && dice.chance(60)) lead(dice, f);
    return f;
  };
  AttackedFlow flow = next_flow();
  ++tally.rulesets;
  const Goal goal = random_goal(dice, family, text);
  const std::array asked{goal.predicate()};
  auto model = Model::build(rules.program(), asked, model_options(options));
  if (!model) {
    ++tally.outgrown;
    return;
  }
  // A few rulesets take minutes: marks, zones and NAT multiply.
  (*model)->set_deadline(std::chrono::steady_clock::now() + std::chrono::seconds{15});
  const bool leads = text.find("--to-destination") != std::string::npos;
  const auto sets = solve(**model, flow, goal, dice.chance(leads ? 60 : 25));
  std::optional<DeadRules> dead;
  if (dice.chance(50)) {
    const auto structure = (*model)->structure();
    if (structure) dead.emplace(rules.program(), **structure);
    if (dead && dead->some_under_nat()) ++tally.dead;
  }
  (*model)->set_deadline(std::nullopt);
  if (!sets) {
    ++tally.outgrown;
    return;
  }
  const unsigned errors_led = tally.errors_led;
  for (unsigned f = 0; f < 12; ++f) {
    if (flow.initiator != flow.responder || flow.initiator_port != flow.responder_port) {
      try {
        Attack attack(rules, **model, *sets, world, flow, dice, tally);
        if (helpers) attack.help();
        if (dead) attack.watch(*dead);
        if (text.find("--to-destination 127.0.0.1") != std::string::npos) attack.lead_to_lo();
        for (unsigned i = 0; i < 10; ++i) {
          attack.sequence(i % 2 == 0);
          if (::testing::Test::HasFailure()) return;
        }
        for (unsigned i = 0; i < 3; ++i) attack.conversation();
      } catch (const Unmodelled&) {
        ++tally.skipped;
      } catch (const BudgetEnded&) {  // the flow's points outgrow what the sets left of the limit
        ++tally.outgrown;
        return;
      }
    }
    if (::testing::Test::HasFatalFailure()) return;
    flow = next_flow();
  }
  // An ICMP error may be led to whoever opened the flow.
  if (path == Path::kForward && (tally.errors_led > errors_led || dice.chance(5))) {
    ask_about(
        rules, options, flow,
        "deliver -i " + flow.responder_interface + " -o " + flow.initiator_interface +
            (family == Family::kIpv4 ? " -p icmp --icmp-type 3/3" : " -p icmpv6 --icmpv6-type 1/4"),
        dice, tally);
  }
  if (!dice.chance(15)) return;
  ask_about(rules, options, flow, question_about(dice, flow, goal), dice, tally);
}

Draw draw_of_environment() {
  const auto percent = [](const char* name, unsigned usual) {
    return static_cast<unsigned>(test::from_environment(name, usual));
  };
  const Draw usual;
  return {percent("POSTERN_NAT", usual.nat), percent("POSTERN_ZONES", usual.zones),
          percent("POSTERN_HELPERS", usual.helpers), percent("POSTERN_REPORTS", usual.reports)};
}

TEST(Adversary, NothingHappensThatTheSetsRuleOut) {
  const std::uint64_t seed = test::seed_of_run();
  const std::uint64_t rounds = test::from_environment("POSTERN_ROUNDS", 20);
  Tally tally;
  FirstRounds reached;
  const Draw usual = draw_of_environment();
  // Until everything has been reached: further rounds draw what is still missing.
  for (std::uint64_t i = 0; (i < rounds || (!reached.all() && i < 40 * rounds)) && !HasFailure();
       ++i) {
    Dice dice(static_cast<unsigned>(seed + i));
    const Draw how = i < rounds ? usual : reached.towards(i);
    SCOPED_TRACE(words_for(seed + i, how));
    ASSERT_NO_THROW(round(how, dice, tally));
    reached.note(tally, i + 1);
  }
  std::printf(
      "%u rulesets (%u outgrown), %u sequences, %u packets, %u skipped; %u questions: %u yes, %u "
      "no, %u unknown\n",
      tally.rulesets, tally.outgrown, tally.sequences, tally.packets, tally.skipped, tally.asked,
      tally.yes, tally.no, tally.unknown);
  reached.print(tally);
  if (HasFailure()) return;
  for (const Wanted& w : kWanted) EXPECT_GT(tally.*w.count, 0U) << w.what;
}

}  // namespace
}  // namespace postern
