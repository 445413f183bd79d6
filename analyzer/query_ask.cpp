#include "analyzer/query_ask.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "analyzer/led_error.hpp"
#include "analyzer/world_assumptions.hpp"
#include "base/check.hpp"
#include "net/protocol.hpp"
#include "symbolic/entries/open_tuples.hpp"
#include "symbolic/rules/routing.hpp"
#include "symbolic/sets/generalise.hpp"
#include "symbolic/witness/master_witness.hpp"
#include "symbolic/witness/witness_parent.hpp"

namespace postern {
namespace {

constexpr std::array<std::pair<Field, Axis>, 11> kFieldAxes{{
    {Field::kSource, Axis::kInitiator},
    {Field::kDestination, Axis::kResponder},
    {Field::kProtocol, Axis::kProtocol},
    {Field::kSourcePort, Axis::kInitiatorPort},
    {Field::kDestinationPort, Axis::kResponderPort},
    {Field::kTcpFlags, Axis::kTcpFlags},
    {Field::kIcmpType, Axis::kIcmpType},
    {Field::kIcmpCode, Axis::kIcmpCode},
    {Field::kLength, Axis::kLength},
    {Field::kTtl, Axis::kTtl},
    {Field::kTos, Axis::kTos},
}};

std::optional<Axis> axis_of(Field field) {
  for (const auto& [f, a] : kFieldAxes) {
    if (f == field) return a;
  }
  return std::nullopt;
}

bool contains(std::span<const Axis> axes, Axis axis) {
  return std::ranges::find(axes, axis) != axes.end();
}

std::vector<Axis> axes_of(const std::vector<Field>& fields) {
  std::vector<Axis> axes;
  for (const Field f : fields) axes.push_back(*axis_of(f));
  return axes;
}

// All axes of a flow and its packet but these.
std::vector<Axis> other_axes(const std::vector<Axis>& kept) {
  std::vector<Axis> rest;
  for (const auto list : {flow_axes(), packet_axes()}) {
    for (const Axis a : list) {
      if (!contains(kept, a)) rest.push_back(a);
    }
  }
  return rest;
}

std::string_view sender_name(Verb verb, Path path, bool reply) {
  if (verb == Verb::kConnect) return reply ? "server" : "client";
  if (verb == Verb::kTrack) return reply ? "responder" : "initiator";
  if (reply) return "far end";
  return path == Path::kOut ? "host" : path == Path::kLoopback ? "client" : "outsider";
}

FieldBox field_box(Space& space, const ClassBox& box) {
  FieldBox result;
  for (const auto& [field, axis] : kFieldAxes) {
    const auto at = box.find(axis);
    if (at == box.end()) continue;
    IntervalList list;
    const u128 most = field == Field::kLength ? longest_packet(space.classes().family) : ~u128{0};
    for (const Interval& i : values_of(*space.layout(axis).classes, at->second)) {
      list.emplace_back(i.lo, std::min(i.hi, most));
    }
    result[field] = std::move(list);
  }
  return result;
}

// One packet's own values.
FieldBox point_of(const Packet& p) {
  FieldBox box;
  const auto add = [&](Field field, u128 value) { box[field] = {{value, value}}; };
  add(Field::kSource, p.source.value);
  add(Field::kDestination, p.destination.value);
  add(Field::kProtocol, p.protocol);
  add(Field::kIcmpType, p.type);
  add(Field::kIcmpCode, p.code);
  add(Field::kLength, ip_length(p));
  add(Field::kTtl, p.ttl);
  add(Field::kTos, p.tos);
  return box;
}

bool has_ports_field(u128 number) {
  return has_ports(tracker_of(static_cast<std::uint8_t>(number))) || number == protocol::kDccp;
}

// Do both protocols have the header fields that a box of this verb speaks of (ports, ICMP type, and
// for single packets TCP flags)?
bool same_fields(u128 one, u128 other, Verb verb) {
  const auto alone = [&](u128 number) {
    return number == protocol::kIcmp || number == protocol::kIcmpv6 ||
           (number == protocol::kTcp && verb == Verb::kDeliver);
  };
  if (one == other) return true;
  return !alone(one) && !alone(other) && has_ports_field(one) == has_ports_field(other);
}

// Fields that mean nothing for the protocol are not shown.
void drop_meaningless(FieldBox& box, std::uint8_t protocol) {
  const bool ports = has_ports_field(protocol);
  const bool icmp = protocol == protocol::kIcmp || protocol == protocol::kIcmpv6;
  if (!ports) {
    box.erase(Field::kSourcePort);
    box.erase(Field::kDestinationPort);
  }
  if (!icmp) {
    box.erase(Field::kIcmpType);
    box.erase(Field::kIcmpCode);
  }
  if (protocol != protocol::kTcp) box.erase(Field::kTcpFlags);
}

// Multicast reports and neighbour discovery.
bool kernels_own(const Packet& packet) {
  return packet.local() &&
         (packet.protocol == protocol::kIgmp || packet.protocol == protocol::kIcmpv6);
}

}  // namespace

namespace {

PredicatePtr arrival_predicate(const Question& question) {
  std::vector<PredicatePtr> parts;
  if (question.to_destination) {
    const Prefix& p = *question.to_destination;
    parts.push_back(negate_if(question.not_to_destination,
                              masked(Field::kDestination, p.address.value, p.mask)));
  }
  if (question.to_port) {
    parts.push_back(
        negate_if(question.not_to_port, equals(Field::kDestinationPort, *question.to_port)));
  }
  return all(std::move(parts));
}

}  // namespace

PredicatePtr full_predicate(const Question& question) {
  return all({question.predicate(), arrival_predicate(question)});
}

Asking::Asking(Model& model, const Program& program, const QueryOptions& options,
               const Question& question, std::chrono::steady_clock::time_point deadline,
               Answer& answer)
    : model_(model),
      space_(model.space()),
      program_(program),
      options_(options),
      question_(question),
      deadline_(deadline),
      answer_(answer) {}

void Asking::run() {
  try {
    answer_question();
  } catch (const BudgetEnded& ended) {
    answer_.truth = Truth::kUnknown;
    answer_.reasons.emplace_back(why(ended));
  }
}

Set Asking::prepare() {
  if (question_.to_destination || question_.to_port) {
    if (arrives_apart()) to_ = arrival_predicate(question_);
  }
  const PredicatePtr m = to_ == nullptr ? full_predicate(question_) : question_.predicate();
  m_ = take(model_.question(answer_.path, m));
  if (question_.verb == Verb::kDeliver) led_ = take(model_.errors_led_here(answer_.path, m));
  universe_ = to_yes_axes(m_);
  // Where they are not followed, Z3 is not asked why no rule lets them through.
  if (take(model_.errors_to_openers(answer_.path)).empty()) {
    led_unchecked_ = !std::exchange(led_.asked, kNothing).empty();
  }
  return space_.bdd().either(m_, led_.asked);
}

Set Asking::open_of(const Solved& solved) {
  const Set all = space_.bdd().either(universe_, led_.asked);
  return space_.bdd().either(space_.bdd().both(solved.yes.unmodelled, all), led_.open);
}

bool Asking::may_win() {
  const Set asked = prepare();
  if (asked.empty() || !quantifiable()) return !led_.open.empty();
  const Solved solved = solve(asked);
  const Set may = space_.bdd().both(solved.yes.may, universe_);
  return !winners(space_.bdd().either(may, open_of(solved))).empty();
}

void Asking::answer_question() {
  const Set asked = prepare();
  if (asked.empty()) {
    if (!led_.open.empty()) return answer_unknown(led_.open);
    if (!take_for_granted()) return;
    answer_.truth = Truth::kNo;
    answer_.completeness = Completeness{"any-length", "direct", 0, false};
    return;
  }
  if (!quantifiable()) return;
  const Solved solved = solve(asked);
  const Set must = space_.bdd().both(solved.yes.must, universe_);
  const Set may = space_.bdd().both(solved.yes.may, universe_);
  const Set open = open_of(solved);
  if (const Won won = first_to_win(must, may); !won.yes.empty()) {
    answer_yes(solved, won.yes, won.sure);
    if (answer_.truth == Truth::kUnknown) answer_led(solved);
  } else if (!winners(space_.bdd().either(may, open)).empty()) {
    if (!answer_led(solved)) answer_unknown(space_.bdd().either(may, open));
  } else {
    answer_no(solved);
  }
}

// May a packet arrive elsewhere than it was sent to? (--every speaks of all that M allows, whether
// it arrives as asked for or not.)
bool Asking::arrives_apart() {
  if (model_.moves_destination(answer_.path) || !question_.every.empty()) return true;
  if (question_.verb != Verb::kDeliver) return false;
  const Set sent = take(model_.question(answer_.path, question_.predicate()));
  return !space_.bdd().disjoint(sent, take(model_.errors_to_openers(answer_.path)));
}

bool Asking::quantifiable() {
  if (question_.verb == Verb::kDeliver) return true;
  for (const auto& list : {question_.find, question_.every}) {
    for (const Field f : list) {
      if (contains(flow_axes(), *axis_of(f))) continue;
      answer_.reasons.push_back(fmt::format(
          "--find and --every of `{}` are only decided for deliver: it is no field of a whole flow",
          info(f).name));
      return false;
    }
  }
  return true;
}

// deliver answers in packets; the others in flows.
Set Asking::to_yes_axes(Set m) {
  return question_.verb == Verb::kDeliver ? m : space_.exists(m, packet_axes());
}

Asking::Solved Asking::solve(Set m) {
  Solved solved;
  switch (question_.verb) {
    case Verb::kDeliver: {
      solved.deliver = take(model_.deliver(answer_.path, m, to_));
      solved.yes = solved.deliver->packets;
      solved.depth_may = solved.deliver->by_depth;
      solved.depth_must = solved.deliver->must_by_depth;
      break;
    }
    case Verb::kConnect:
      solved.connect = take(model_.connect(answer_.path, m, to_));
      solved.yes = solved.connect->flows;
      break;
    case Verb::kTrack:
      solved.track = take(model_.track(answer_.path, m, question_.entry_state.value_or(""), to_));
      solved.yes = solved.track->flows;
      solved.depth_may = solved.track->by_depth;
      solved.depth_must = solved.track->must_by_depth;
      break;
  }
  return solved;
}

Set Asking::winners(Set yes) {
  if (yes.empty()) return kNothing;
  if (question_.find.empty() && question_.every.empty()) return kEverything;
  const std::vector<Axis> find = axes_of(question_.find), every = axes_of(question_.every);
  std::vector<Axis> kept = find;
  kept.insert(kept.end(), every.begin(), every.end());
  const std::vector<Axis> rest = other_axes(kept);
  Bdd& bdd = space_.bdd();
  const Set possible = space_.exists(worth_asking(), rest);
  const Set reached = space_.exists(yes, rest);
  if (every.empty()) return reached;
  // A find-value loses when some every-value that M allows with it is not reached.
  const Set losers = space_.exists(bdd.minus(possible, reached), every);
  return bdd.minus(space_.exists(possible, every), losers);
}

Asking::Won Asking::first_to_win(Set sure, Set may) {
  const Set odd = odd_flows(space_, answer_.path);
  // "Every" value speaks of the one, too, that makes it a flow to itself.
  if (!question_.every.empty()) {
    const Set own = model_.may_be_own_tuple(answer_.path);
    sure = space_.bdd().minus(sure, own);
    may = space_.bdd().minus(may, own);
  }
  for (const bool plain : {true, false}) {
    for (const bool must : {true, false}) {
      const Set all = must ? sure : may;
      const Set here = plain ? space_.bdd().minus(all, odd) : all;
      if (!winners(here).empty()) return {here, must};
    }
  }
  return {};
}

std::vector<FlowStep> Asking::steps(Set goal, bool must) {
  switch (question_.verb) {
    case Verb::kDeliver:
      return take(model_.deliver_steps(answer_.path, m_, goal, must, to_));
    case Verb::kConnect:
      return take(model_.connect_steps(answer_.path, m_, goal, must, to_));
    case Verb::kTrack:
      return take(model_.track_steps(answer_.path, m_, question_.entry_state.value_or(""), goal,
                                     must, to_));
  }
  return {};
}

void Asking::answer_yes(const Solved& solved, Set yes, bool must) {
  Bdd& bdd = space_.bdd();
  Set candidates = bdd.both(yes, winners(yes));
  // Fewest packets first.
  for (const Set layer : must ? solved.depth_must : solved.depth_may) {
    const Set here = bdd.both(layer, candidates);
    if (here.empty()) continue;
    candidates = here;
    break;
  }
  const FlowPoint flow = choose_flow(space_, candidates, answer_.path);
  const Set goal = bdd.both(candidates, flow_set(space_, flow));
  const auto found = steps(goal, must);
  Witness witness = with_parent(model_, answer_.path, flow, found, must);
  add_master(model_, answer_.path, flow, must, witness);
  const auto give_up = [&](std::string why) { answer_.reasons.push_back(std::move(why)); };
  if (witness.packets.empty()) return no_witness("it has no packets");
  const bool piece = std::ranges::any_of(
      witness.packets, [](const WitnessPacket& p) { return p.packet.fragment_offset != 0; });
  if (model_.tracking() && piece) {
    witness.obstacle = "a raw socket alone (IP_NODEFRAG) sends pieces that conntrack leaves apart";
  }
  if (witness.obstacle) {
    return give_up("the sets say yes, but no witness can be replayed: " + *witness.obstacle);
  }
  Confirmed confirmed = confirm_with_addresses(witness, must);
  if (!confirmed.mismatch.empty()) {
    // To the sets an opaque target may have changed anything (marks, headers), the engine's changes
    // nothing; what the kernel sends of itself shows a device that the engine's packets do not; and
    // a packet has one sender, whatever rules ask of that.
    const bool open =
        !must && (reads_tuple_ports(program_) || program_.has_opaque_target() ||
                  (witness.translated_to && space_.classes().address_type.count() > 1) ||
                  found.back().quotes || kernels_own(witness.packets.back().packet) ||
                  confirmed.asked_of_sender);
    const bool coarse = open || std::ranges::any_of(found, &FlowStep::coarse) ||
                        std::ranges::any_of(witness.packets, &WitnessPacket::of_master);
    if (confirmed.unmodelled || coarse) {
      return give_up("the sets say yes, but the witness does not replay: " + confirmed.mismatch);
    }
    return no_witness(confirmed.mismatch);
  }
  answer_.conditional = !must;
  take_over(std::move(confirmed));
  if (answer_.conditional && answer_.assumptions.empty() && !witness.given) {
    answer_.assumptions.emplace_back(
        "addresses, routes and what NAT gives are those of the witness (rules alone leave it "
        "open)");
  }
  tell(witness, flow);
  generalise(flow, witness.packets.back(), must);
}

// Sets and engine disagree: one of them is wrong.
void Asking::no_witness(const std::string& why) {
  const std::string what = fmt::format("the witness of `{}` ({}) does not replay: {}",
                                       answer_.query, text(answer_.path), why);
  if (options_.strict) throw InternalError(what);
  answer_.reasons.push_back("the sets say yes, but " + what +
                            "; this is a bug in postern, please report it with the ruleset");
}

Scenario Asking::bare_world() const {
  Scenario world;
  world.backend = program_.ruleset().backend;
  world.tracking = options_.tracking;
  world.sysctl = options_.sysctl;
  return world;
}

std::string_view Asking::outcome_of(const Choice& c) {
  if (c.socket) return c.value == 0 ? "is not there" : "is there";
  return c.value == 0 ? "does not match" : c.value == 1 ? "matches" : "drops it";
}

// A yes, whose packets the engine has seen to be so.
void Asking::take_over(Confirmed confirmed) {
  answer_.truth = Truth::kYes;
  answer_.replayed = true;
  answer_.witness = std::move(confirmed.steps);
  answer_.scenario = std::move(confirmed.scenario);
  answer_.completeness =
      Completeness{"any-length", "direct", static_cast<unsigned>(answer_.witness.size()), false};
  if (!answer_.conditional) return;
  for (const Choice& c : confirmed.choices) {
    std::string line = fmt::format("`{}` of {} {}", c.why, c.rule, outcome_of(c));
    if (std::ranges::find(answer_.assumptions, line) == answer_.assumptions.end()) {
      answer_.assumptions.push_back(std::move(line));
    }
  }
}

// Where nothing but an ICMP error gets through that NAT leads on. It stands for itself: nothing is
// proved of others. What is left open by no rule that it met holds whatever others say.
bool Asking::answer_led(const Solved& solved) {
  if (!solved.deliver || !question_.every.empty()) return false;
  const Set all = space_.bdd().either(universe_, led_.asked);
  auto shown =
      show_led_error(model_, program_, answer_.path, space_.bdd().both(solved.deliver->led, all),
                     bare_world(), Destination::asked(question_));
  if (!shown) return false;
  answer_.reasons.clear();
  answer_.conditional = !shown->confirmed.choices.empty();
  take_over(std::move(shown->confirmed));
  tell(shown->witness, shown->flow);
  const Packet& error = answer_.witness.back().packet;
  if (error.inner != nullptr && answer_.path == Path::kForward) {
    answer_.assumptions.push_back(fmt::format("NAT makes {} of {}", error.destination.text(),
                                              shown->witness.translated_to->text()));
  }
  answer_.generalised = answer_.within_question = point_of(error);
  return true;
}

void Asking::tell(const Witness& witness, const FlowPoint& flow) {
  for (std::size_t i = 0; i < answer_.witness.size(); ++i) {
    answer_.witness[i].sender =
        sender_name(question_.verb, answer_.path, witness.packets[i].step.reply);
    if (witness.packets[i].of_master) answer_.witness[i].sender = "master";
    // Whoever opens the flow that an error quotes is another, if it sends from another side.
    const bool other_side = witness.packets[i].packet.in != witness.packets.back().packet.in;
    if (witness.packets[i].quoted && other_side && !witness.packets[i].step.reply) {
      answer_.witness[i].sender = "opener";
    }
  }
  for (const Field f : question_.find) answer_.found[f] = flow.value(*axis_of(f));
  for (auto& assumed : world_assumptions(space_, answer_.path, flow, witness)) {
    answer_.assumptions.push_back(std::move(assumed));
  }
  if (answer_.path == Path::kLoopback && masquerades_over_lo()) {
    answer_.assumptions.push_back("this host has an address on another device than lo");
  }
  if (question_.verb == Verb::kConnect) {
    answer_.assumptions.push_back("the far end does not itself open (no simultaneous open)");
  }
}

void Asking::generalise(const FlowPoint& flow, const WitnessPacket& last, bool must) {
  Bdd& bdd = space_.bdd();
  std::map<Axis, std::uint32_t> point = flow.classes;
  Set fixed = kEverything;
  const u128 mark = flow.value(Axis::kInitialMark);
  for (const std::uint8_t bit : space_.layout(Axis::kInitialMark).bits) {
    fixed = bdd.both(fixed, *space_.bit(Axis::kInitialMark, bit, (mark >> bit & 1) != 0));
  }
  if (question_.verb == Verb::kDeliver) {
    point.insert(last.classes.begin(), last.classes.end());
    for (const std::uint8_t kind : space_.layout(Axis::kTcpOptions).bits) {
      const bool has = std::ranges::find(last.options, kind) != last.options.end();
      fixed = bdd.both(fixed, *space_.bit(Axis::kTcpOptions, kind, has));
    }
  }
  // What is never widened (interfaces above all) stands at the point from the start: what is left
  // of the ruleset is small.
  Set around = take(model_.anything(answer_.path));
  for (const auto& [axis, number] : point) {
    if (contains(widening_order(), axis)) continue;
    around = bdd.both(around, space_.class_is(axis, number));
  }
  const Solved all = solve(around);
  constexpr std::array kBits{Axis::kInitialMark, Axis::kTcpOptions};
  const auto at_bits = [&](Set s) { return space_.exists(bdd.both(s, fixed), kBits); };
  // A box never mixes protocols of different headers: "ICMP, port 80" would say nothing.
  const u128 own = flow.value(Axis::kProtocol);
  const std::uint32_t own_class = flow.classes.at(Axis::kProtocol);
  const Set alike = space_.class_set_if(Axis::kProtocol, [&](const ValueClass& c) {
    if (&c == &space_.layout(Axis::kProtocol).classes->classes[own_class]) return true;
    return std::ranges::all_of(c.intervals, [&](const Interval& i) {
      for (u128 number = i.lo; number <= i.hi; ++number) {
        if (!same_fields(own, number, question_.verb)) return false;
      }
      return true;
    });
  });
  const Set odd = odd_flows(space_, answer_.path);
  Set same = must ? all.yes.must : all.yes.may;
  if (bdd.disjoint(flow_set(space_, flow), odd)) same = bdd.minus(same, odd);
  const Set yes = bdd.both(at_bits(same), alike);
  const ClassBox box = widen(space_, yes, point);
  const Set inside = bdd.both(bdd.both(yes, at_bits(universe_)), box_set(space_, box));
  const ClassBox within = widen(space_, inside, point);
  const auto protocol = static_cast<std::uint8_t>(flow.value(Axis::kProtocol));
  answer_.generalised = field_box(space_, box);
  answer_.within_question = field_box(space_, within);
  drop_meaningless(answer_.generalised, protocol);
  drop_meaningless(answer_.within_question, protocol);
}

void Asking::answer_no(const Solved& solved) {
  Claim claim;
  claim.path = answer_.path;
  claim.to = to_;
  Bdd& bdd = space_.bdd();
  claim.impossible = bdd.minus(bdd.either(universe_, led_.asked),
                               bdd.either(solved.yes.may, solved.yes.unmodelled));
  claim.first = m_;
  assume();
  if (!take_for_granted()) return;
  Completeness completeness;
  switch (question_.verb) {
    case Verb::kDeliver:
      claim.goal = Claim::Goal::kDeliver;
      claim.reached = &solved.deliver->may;
      claim.related = solved.deliver->related;
      break;
    case Verb::kConnect:
      claim.goal = Claim::Goal::kConnect;
      completeness.by = "direct";
      break;
    case Verb::kTrack:
      claim.goal = Claim::Goal::kTrack;
      claim.entry_state = question_.entry_state.value_or("");
      claim.reached = &solved.track->may;
      break;
  }
  if (claim.reached != nullptr) completeness.depth = claim.reached->depth;
  CertificateOptions options;
  options.conntrack = model_options(options_).conntrack;
  options.limit = std::clamp(std::chrono::duration_cast<std::chrono::milliseconds>(
                                 deadline_ - std::chrono::steady_clock::now()),
                             std::chrono::milliseconds{1}, std::chrono::milliseconds{60'000});
  const CertificateResult result = certify(model_, program_, claim, options);
  if (result.verdict == Verification::kRefuted) {
    throw InternalError(fmt::format("Z3 refutes the packet sets on `{}` ({}): {}", answer_.query,
                                    text(answer_.path), result.why));
  }
  if (result.verdict == Verification::kNotChecked) {
    answer_.reasons.push_back("the packet sets say no, but Z3 could not re-check it: " +
                              result.why);
    return;
  }
  const bool errors = solved.deliver && solved.deliver->errors_unchecked;
  const bool shared = !bdd.disjoint(claim.impossible, model_.entries_without_ports());
  completeness.certified = !errors && !led_unchecked_ && !shared;
  answer_.truth = Truth::kNo;
  answer_.completeness = completeness;
}

}  // namespace postern
