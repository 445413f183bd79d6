#include "analyzer/query_replay.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "analyzer/honest_ends.hpp"
#include "analyzer/place_text.hpp"
#include "engine/engine.hpp"
#include "net/protocol.hpp"
#include "scenario/serialise.hpp"

namespace postern {
namespace {

// How many runs the search for the values of opaques may take.
constexpr unsigned kMaxRuns = 20'000;

struct Run {
  std::vector<WitnessStep> steps;
  std::vector<Choice> choices;
  std::string mismatch;
  bool met_nat = false;  // some packet met a NAT target
};

std::string entry_word(const EntryInfo& e) { return e.text.empty() ? "none" : e.text; }

bool of_flow(const EntryReport& entry, const Packet& packet) {
  const auto is = [&](const TupleReport& t) {
    return t.source == packet.source && t.destination == packet.destination &&
           t.source_port.value_or(packet.source_port) == packet.source_port &&
           t.destination_port.value_or(packet.destination_port) == packet.destination_port;
  };
  return entry.protocol == packet.protocol && (is(entry.original) || is(entry.reply));
}

// A master has an entry of its own.
std::vector<EntryReport> own_entries(std::vector<EntryReport> entries, const Witness& witness,
                                     const Packet& packet) {
  if (std::ranges::any_of(witness.packets, &WitnessPacket::of_master)) {
    std::erase_if(entries, [&](const EntryReport& e) { return !of_flow(e, packet); });
  }
  return entries;
}

// `begun`: the first of the flow's packets. (What has no ports may have one address at both ends.)
bool opened_by_responder(const EntryReport& e, const WitnessPacket& begun) {
  const Packet& first = begun.packet;
  const bool by_other = e.original.source != first.source ||
                        (e.original.source_port && *e.original.source_port != first.source_port) ||
                        (e.original.icmp_type && *e.original.icmp_type != first.type);
  return by_other != begun.step.reply;
}

// One of the flow's entries as the engine reports it, against what the sets say; empty when they
// agree.
std::string compare_one(const EntryInfo& expected, const EntryReport& e,
                        const WitnessPacket& begun) {
  const bool by_responder = opened_by_responder(e, begun);
  if (e.state != expected.state || !e.unreplied() != expected.seen_reply ||
      e.assured() != expected.assured || by_responder != expected.by_responder) {
    return fmt::format("its conntrack entry should be {}, and is {}{}{}{}", entry_word(expected),
                       e.state, e.unreplied() ? " unreplied" : "", e.assured() ? " assured" : "",
                       by_responder ? " roles swapped" : "");
  }
  return "";
}

std::string compare_entry(std::span<const EntryInfo> entries, std::uint16_t number,
                          const std::vector<EntryReport>& seen, const WitnessPacket& first) {
  const EntryInfo& expected = entries[number];
  if (!expected.entry.present) {
    return seen.empty() ? ""
                        : fmt::format("it should leave no conntrack entry, and leaves one ({})",
                                      seen.front().state);
  }
  std::vector<EntryPart> parts = expected.parts;
  if (parts.empty()) parts.push_back({0, 0, number});
  if (seen.size() != parts.size()) {
    return fmt::format("behind it conntrack should hold {} of the flow ({}), and holds {}",
                       parts.size() == 1 ? "one entry" : fmt::format("{} entries", parts.size()),
                       entry_word(expected), seen.empty() ? "none" : std::to_string(seen.size()));
  }
  for (const EntryPart& part : parts) {
    std::string difference =
        fmt::format("conntrack should hold an entry in zone {}, and holds none", part.zone);
    for (const EntryReport& e : seen) {
      if (e.zone != part.zone) continue;
      difference = compare_one(entries[part.entry], e, first);
      if (difference.empty()) break;
    }
    if (!difference.empty()) return difference;
  }
  return "";
}

// Where a packet of this path ends that is let through.
Verdict end_of(Path path) {
  switch (path) {
    case Path::kForward:
      return Verdict::kForwarded;
    case Path::kOut:
      return Verdict::kSent;
    default:
      return Verdict::kDelivered;
  }
}

std::string compare(const WitnessPacket& expected, const PacketReport& report, bool tracked,
                    std::span<const EntryInfo> entries, const std::vector<EntryReport>& seen,
                    const WitnessPacket& first) {
  const bool accepted = report.verdict != Verdict::kDropped;
  if (accepted != expected.step.accepted) {
    return fmt::format("it should be {}, and was {}{}",
                       expected.step.accepted ? "accepted" : "dropped", text(report.verdict),
                       place_text(report.died_at));
  }
  if (accepted && report.verdict != end_of(expected.path)) {
    return fmt::format("it should be {}, and was {}", text(end_of(expected.path)),
                       text(report.verdict));
  }
  if (!tracked) return "";
  std::optional<CtState> state;
  for (const Hook hook : hooks(expected.path)) {
    if (const auto at = report.state.find(hook); at != report.state.end()) state = at->second;
  }
  if (accepted && state != expected.step.state) {
    return fmt::format("its state should be {}, and is {}", text(expected.step.state),
                       state ? text(*state) : "none");
  }
  if (expected.step.quotes) return "";  // the entry is its parent's
  return compare_entry(entries, expected.step.after.entry, seen, first);
}

std::vector<MatchedRule> matched_rules(const Trace& trace, const Program& program) {
  std::vector<MatchedRule> rules;
  const SourceFile& source = *program.ruleset().source;
  for (const TraceStep& step : trace) {
    if (step.kind != TraceStep::Kind::kRule || step.own_reply) continue;
    if (!step.matched && !step.hotdrop) continue;
    const ProgramRule& rule = program.rules()[step.rule];
    const ProgramChain& chain = program.chains()[rule.chain];
    rules.push_back({chain.table, chain.chain->name, rule.number,
                     source.position(rule.rule->span.begin).line,
                     std::string(source.slice(rule.rule->span))});
  }
  return rules;
}

// What the sets take a binding for may differ from what the world of the witness makes of it: a
// packet that met NAT may well fare otherwise than they say.
bool translates(const Trace& trace, const Program& program) {
  return std::ranges::any_of(trace, [&](const TraceStep& step) {
    if (step.kind != TraceStep::Kind::kRule || step.own_reply || !step.matched) return false;
    const Effect* effect = std::get_if<Effect>(&program.rules()[step.rule].rule->action);
    return effect != nullptr && std::holds_alternative<Nat>(*effect);
  });
}

// An answer under NAT: from where the entry says that answers come, to where it says they go.
// `first`: of its flow's packets.
Packet as_answered(Packet packet, const std::vector<EntryReport>& entries, const Packet& first) {
  const auto opened = [&](const EntryReport& e) {
    const TupleReport& t = e.original;
    return e.protocol == first.protocol && t.source == first.source &&
           t.destination == first.destination &&
           t.source_port.value_or(first.source_port) == first.source_port &&
           t.destination_port.value_or(first.destination_port) == first.destination_port;
  };
  auto own = entries.begin();
  if (entries.size() != 1) own = std::ranges::find_if(entries, opened);
  if (own == entries.end()) return packet;
  const TupleReport& reply = own->reply;
  packet.source = reply.source;
  packet.destination = reply.destination;
  if (reply.source_port) packet.source_port = *reply.source_port;
  if (reply.destination_port) packet.destination_port = *reply.destination_port;
  if (reply.icmp_id) packet.icmp_id = *reply.icmp_id;
  return packet;
}

// `port` nullopt: there is none to be asked for.
bool is_asked(const Destination& asked, const Address& address, std::optional<std::uint16_t> port) {
  if (asked.address && asked.address->contains(address) == asked.not_address) return false;
  return !asked.port || !port || (port == asked.port) != asked.not_port;
}

// Did what was asked for arrive where it was asked for? `begun`: the first of the flow's packets.
bool arrived(const Destination& asked, const PacketReport& report,
             const std::vector<EntryReport>& entries, const WitnessPacket& begun) {
  const auto by_device = [&](const auto& left) { return left.second == asked.leaves_by; };
  if (!asked.leaves_by.empty() && std::ranges::none_of(report.out, by_device)) return false;
  if (!asked.address && !asked.port) return true;
  if (asked.verb != Verb::kTrack) {
    const auto there = [&](const Packet& p) {
      const bool ports = has_ports(tracker_of(p.protocol));
      return is_asked(asked, p.destination,
                      ports ? std::optional(p.destination_port) : std::nullopt);
    };
    return std::ranges::any_of(report.delivered, there) ||
           std::ranges::any_of(report.out, [&](const auto& left) { return there(left.first); });
  }
  return std::ranges::any_of(entries, [&](const EntryReport& e) {
    const TupleReport& from = opened_by_responder(e, begun) ? e.original : e.reply;
    return is_asked(asked, from.source, from.source_port);
  });
}

// One run with the first choices given; ends at the first packet that is not as expected.
Run run_once(const Witness& witness, const Scenario& world, const Program& program,
             std::span<const EntryInfo> entries, const Destination& asked,
             const std::vector<std::uint64_t>& choices) {
  Run run;
  ListChooser chooser(choices);
  const Family family = program.ruleset().family;
  const bool v4 = family == Family::kIpv4;
  Engine engine(world, v4 ? &program : nullptr, v4 ? nullptr : &program, chooser);
  Trace trace;
  engine.set_trace(&trace);
  HonestEnds ends;
  for (const WitnessPacket& packet : witness.packets) {
    if (packet.wait_ms) engine.wait(*packet.wait_ms);
    trace.clear();
    const auto first =
        std::ranges::find(witness.packets, packet.of_master, &WitnessPacket::of_master);
    const Packet sent = packet.step.translated
                            ? as_answered(packet.packet, engine.entries(), first->packet)
                            : packet.packet;
    const PacketReport report = engine.inject(sent);
    WitnessStep step;
    step.packet = sent;
    step.path = packet.path;
    step.wait_ms = packet.wait_ms;
    step.verdict = report.verdict;
    step.ctstate = report.state;
    step.rules = matched_rules(trace, program);
    step.entries = engine.entries();
    run.met_nat = run.met_nat || translates(trace, program);
    step.of_master = packet.of_master;
    run.mismatch = compare(packet, report, engine.tracks(family), entries,
                           own_entries(step.entries, witness, sent), *first);
    const bool judged =
        asked.verb == Verb::kConnect ? &packet == &*first : &packet == &witness.packets.back();
    if (run.mismatch.empty() && judged &&
        !arrived(asked, report, own_entries(step.entries, witness, sent), *first)) {
      run.mismatch = "it does not arrive where it was asked for";
    }
    if (run.mismatch.empty() && asked.verb == Verb::kConnect && !packet.of_master &&
        !ends.hear(sent, packet.step.reply, report)) {
      run.mismatch = "NAT has it come as from another than the end that sent it";
    }
    run.steps.push_back(std::move(step));
    if (!run.mismatch.empty()) {
      run.mismatch = fmt::format("packet {}: {}", run.steps.size(), run.mismatch);
      break;
    }
  }
  run.choices = chooser.made();
  return run;
}

// The next list of choices to try, in the order of counting; false when all were tried.
bool next_choices(const std::vector<Choice>& made, std::vector<std::uint64_t>& choices) {
  choices.clear();
  for (const Choice& c : made) choices.push_back(c.value);
  while (!choices.empty()) {
    if (++choices.back() < made[choices.size() - 1].options) return true;
    choices.pop_back();
  }
  return false;
}

// Wires that hold every packet of the witness, also where TCPMSS makes it longer.
void widen(std::vector<Interface>& wires, const Witness& witness) {
  constexpr std::uint32_t kAdded = 4, kMost = 65535;  // a wire's; lo has no limit
  for (const WitnessPacket& packet : witness.packets) {
    const auto length = static_cast<std::uint32_t>(to_bytes(packet.packet).size() + kAdded);
    for (Interface& wire : wires) {
      wire.mtu = std::max(wire.mtu, wire.name == "lo" ? length : std::min(length, kMost));
    }
  }
}

}  // namespace

Confirmed confirm(const Witness& witness, const Scenario& world, const Program& program,
                  std::span<const EntryInfo> entries, const Destination& asked) {
  Confirmed result;
  Scenario full = world;
  full.interfaces = witness.world.interfaces;
  widen(full.interfaces, witness);
  full.routes = witness.world.routes;
  full.forwarding = witness.world.forwarding;
  Run run;
  try {
    std::vector<std::uint64_t> choices;
    std::string first_mismatch;
    for (unsigned runs = 0; runs < kMaxRuns; ++runs) {
      run = run_once(witness, full, program, entries, asked, choices);
      result.asked_of_sender =
          result.asked_of_sender || std::ranges::any_of(run.choices, &Choice::of_packet);
      if (run.mismatch.empty()) break;
      if (first_mismatch.empty()) first_mismatch = run.mismatch;
      if (!next_choices(run.choices, choices)) break;
    }
    if (!run.mismatch.empty()) {
      result.mismatch = first_mismatch;
      result.unmodelled = run.met_nat;
    }
  } catch (const Unmodelled& e) {
    result.mismatch = e.what();
    result.unmodelled = true;
    return result;
  }
  result.steps = std::move(run.steps);
  result.choices = std::move(run.choices);
  for (const Choice& c : result.choices) full.choices.push_back(c.value);
  const SourceFile& source = *program.ruleset().source;
  const bool v4 = program.ruleset().family == Family::kIpv4;
  (v4 ? full.ruleset : full.ruleset6) = std::string(source.text());
  (v4 ? full.ruleset_name : full.ruleset6_name) = source.name();
  for (const WitnessStep& packet : result.steps) {
    if (packet.wait_ms) full.steps.push_back(WaitStep{*packet.wait_ms});
    full.steps.push_back(packet.packet);
  }
  result.scenario = std::move(full);
  return result;
}

}  // namespace postern
