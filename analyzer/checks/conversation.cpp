// Covered by tests/unit/lint_segment_test.cpp.
#include "analyzer/checks/conversation.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "analyzer/honest_ends.hpp"
#include "engine/engine.hpp"
#include "flow/conntrack.hpp"
#include "net/protocol.hpp"
#include "scenario/result.hpp"

namespace postern {
namespace {

using namespace tcp_flag;

struct Line {
  bool reply;
  std::uint8_t flags;
  std::size_t payload;
  const char* text;
};
constexpr std::array kLines{
    Line{false, kSyn, 0, "the client's SYN"}, Line{true, kSyn | kAck, 0, "the server's SYN,ACK"},
    Line{false, kAck, 0, "the client's ACK"}, Line{false, kAck, 1, "the client's data"},
    Line{true, kAck, 1, "the server's data"}};

// Sequence numbers of the two ends, counted on as their packets are written.
struct Numbers {
  std::uint32_t client, server = 5000;
};

Packet write(const Packet& syn, Path path, const std::string& far_device, const Line& line,
             Numbers& numbers) {
  Packet packet = syn;
  packet.flags = line.flags;
  packet.payload.assign(line.payload, 0);
  if ((line.flags & kSyn) == 0) packet.options.clear();
  std::uint32_t& own = line.reply ? numbers.server : numbers.client;
  packet.seq = own;
  own += static_cast<std::uint32_t>(line.payload) + ((line.flags & kSyn) != 0 ? 1 : 0);
  packet.ack = (line.flags & kAck) != 0 ? (line.reply ? numbers.client : numbers.server) : 0;
  if (!line.reply) return packet;
  std::swap(packet.source, packet.destination);
  std::swap(packet.source_port, packet.destination_port);
  packet.in = path == Path::kForward || path == Path::kOut ? far_device : "";
  packet.out_interface = path == Path::kIn ? syn.in : "";
  packet.mark = 0;
  return packet;
}

// The device by which the responder is reached: the last route leads there
// (symbolic/witness/witness.cpp writes the initiator's first).
std::string far_device(const Scenario& world, const Address& responder) {
  for (const Route& route : world.routes) {
    if (route.to.address == responder) return route.device;
  }
  return "";
}

// An answer to a flow under NAT goes from and to where its entry says.
void answer_translated(Packet& packet, const Packet& syn, const std::vector<EntryReport>& entries) {
  for (const EntryReport& entry : entries) {
    const bool nat = (entry.status & (ct_status::kSourceNat | ct_status::kDestinationNat)) != 0;
    const bool own =
        entry.original.source == syn.source && entry.original.destination == syn.destination;
    if (!nat || !own) continue;
    packet.source = entry.reply.source;
    packet.destination = entry.reply.destination;
    packet.source_port = entry.reply.source_port.value_or(packet.source_port);
    packet.destination_port = entry.reply.destination_port.value_or(packet.destination_port);
  }
}

std::optional<BrokenOff> culprit(const Program& program, const Trace& trace, const char* packet) {
  for (const TraceStep& step : trace) {
    if (step.own_reply || step.kind == TraceStep::Kind::kEvent) continue;
    if (step.kind == TraceStep::Kind::kPolicy) {
      if (step.matched) continue;
      const ProgramChain& chain = program.chains()[step.chain];
      const Table* table = program.ruleset().find(chain.table);
      return BrokenOff{packet, true, place_of(program.ruleset(), *table, *chain.chain)};
    }
    const auto* effect = std::get_if<Effect>(&program.rules()[step.rule].rule->action);
    const bool drops =
        effect != nullptr && step.matched &&
        (std::holds_alternative<Drop>(*effect) || std::holds_alternative<Reject>(*effect));
    if (drops || step.hotdrop) return BrokenOff{packet, false, place_of(program, step.rule)};
  }
  return std::nullopt;
}

}  // namespace

Course hold_conversation(const Program& program, const Answer& answer) {
  if (answer.witness.size() != 1 || !answer.scenario) return {};
  const Packet syn = answer.witness.front().packet;
  if (syn.protocol != protocol::kTcp || syn.flags != kSyn) return {};
  const std::string device = far_device(*answer.scenario, syn.destination);
  ListChooser chooser(answer.scenario->choices);
  const bool v4 = syn.family() == Family::kIpv4;
  try {
    Engine engine(*answer.scenario, v4 ? &program : nullptr, v4 ? nullptr : &program, chooser);
    Trace trace;
    engine.set_trace(&trace);
    Numbers numbers{syn.seq};
    HonestEnds ends;
    for (const Line& line : kLines) {
      trace.clear();
      Packet packet = write(syn, answer.path, device, line, numbers);
      if (line.reply) answer_translated(packet, syn, engine.entries());
      const PacketReport report = engine.inject(packet);
      if (report.verdict == Verdict::kDropped) return {false, culprit(program, trace, line.text)};
      if (!ends.hear(packet, line.reply, report)) return {.heard_by_strangers = true};
    }
  } catch (const Unmodelled&) {
    return {};
  }
  return {true, std::nullopt};
}

}  // namespace postern
