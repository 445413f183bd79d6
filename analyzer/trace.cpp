#include "analyzer/trace.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "analyzer/flags_text.hpp"
#include "analyzer/place_text.hpp"
#include "engine/engine.hpp"
#include "ir/print.hpp"
#include "net/no_protocol.hpp"
#include "net/protocol.hpp"

namespace postern {
namespace {

std::string value_text(Field field, u128 value, Family family) {
  switch (field) {
    case Field::kSource:
    case Field::kDestination:
    case Field::kCtOriginalSource:
    case Field::kCtOriginalDestination:
    case Field::kCtReplySource:
    case Field::kCtReplyDestination:
      return Address{family, value}.text();
    case Field::kProtocol:
      if (family == Family::kIpv6 && value == kNoProtocol6) return "none";
      [[fallthrough]];
    case Field::kCtProtocol:
      return protocol_name(static_cast<std::uint8_t>(value));
    case Field::kTcpFlags:
      return flags_text(static_cast<std::uint8_t>(value));
    case Field::kCtState:
      return std::string(text(static_cast<CtState>(value)));
    case Field::kMark:
    case Field::kCtMark:
      return fmt::format("{:#x}", static_cast<std::uint32_t>(value));
    default:
      return to_decimal(value);
  }
}

// "dport is 22, proto is udp": what the failed clause read.
std::string reasons(const TraceStep& step) {
  std::string out;
  for (const auto& [field, value] : step.values) {
    if (!out.empty()) out += ", ";
    out += fmt::format("{} is {}", info(field).name, value_text(field, value, step.family));
  }
  for (const std::string& interface : step.interfaces) {
    if (!out.empty()) out += ", ";
    out += interface;
  }
  return out.empty() ? out : " (" + out + ")";
}

class Writer {
 public:
  explicit Writer(const Program& program) : program_(program) {}

  void step(const TraceStep& step) {
    if (step.own_reply != own_reply_ || step.hook != hook_) {
      hook_ = step.hook;
      own_reply_ = step.own_reply;
      place_.clear();
      text += fmt::format("{}{}\n", text_of(step.hook), own_reply_ ? " (the host's answer)" : "");
    }
    switch (step.kind) {
      case TraceStep::Kind::kEvent:
        text += fmt::format("  {}\n", step.note);
        break;
      case TraceStep::Kind::kRule:
        rule(step);
        break;
      case TraceStep::Kind::kPolicy:
        policy(step);
        break;
    }
  }

  std::string text;

 private:
  static std::string_view text_of(Hook hook) { return postern::text(hook); }

  // The table's name, when the walk has come to another chain.
  void place(const TraceStep& step) {
    const std::string name =
        std::string(postern::text(step.table)) + " " + program_.chains()[step.chain].chain->name;
    if (name == place_) return;
    place_ = name;
    text += fmt::format("  {}\n", name);
  }

  void rule(const TraceStep& step) {
    place(step);
    const ProgramRule& rule = program_.rules()[step.rule];
    const std::string& chain = program_.chains()[rule.chain].chain->name;
    const std::uint32_t line = program_.ruleset().source
                                   ? program_.ruleset().source->position(rule.rule->span.begin).line
                                   : 0;
    text += fmt::format("    {} {} [line {}] {}\n", step.matched ? "+" : "-", rule.number, line,
                        print(*rule.rule, chain));
    if (step.matched || !step.failed) return;
    const Clause& clause = rule.rule->clauses[*step.failed];
    text += fmt::format("        {}: {}{}\n", step.hotdrop ? "drops the packet on the spot" : "not",
                        clause.printed, reasons(step));
  }

  void policy(const TraceStep& step) {
    place(step);
    text += fmt::format("    policy {}\n", step.matched ? "ACCEPT" : "DROP");
  }

  const Program& program_;
  std::optional<Hook> hook_;
  bool own_reply_ = false;
  std::string place_;
};

std::string headline(const Packet& p, std::size_t number) {
  std::string out = fmt::format("packet {}: {}", number, p.in.empty() ? "local" : p.in);
  const bool ports = p.protocol == protocol::kTcp || p.protocol == protocol::kUdp ||
                     p.protocol == protocol::kUdplite || p.protocol == protocol::kSctp;
  const auto end = [&](const Address& address, std::uint16_t port) {
    if (!ports) return address.text();
    return address.family == Family::kIpv4 ? fmt::format("{}:{}", address.text(), port)
                                           : fmt::format("[{}]:{}", address.text(), port);
  };
  out += fmt::format(" {} -> {} {}", end(p.source, p.source_port),
                     end(p.destination, p.destination_port), protocol_name(p.protocol));
  if (p.protocol == protocol::kTcp) out += " " + flags_text(p.flags);
  if (p.protocol == protocol::kSctp) out += " " + sctp_chunks_text(p.chunks);
  if (p.protocol == protocol::kIcmp || p.protocol == protocol::kIcmpv6) {
    out += fmt::format(" type {} code {}", p.type, p.code);
  }
  return out + "\n";
}

std::string ending(const PacketReport& report) {
  std::string out = fmt::format("=> {}{}", text(report.verdict), place_text(report.died_at));
  for (const auto& [packet, device] : report.out) out += " to " + device;
  out += "\n";
  for (const ReplyReport& reply : report.replies) {
    out += fmt::format("   the host answers: {}", headline(reply.packet, 0).substr(10));
  }
  return out;
}

}  // namespace

TraceReport trace(const Program& program, const Scenario& world,
                  const std::vector<TracePacket>& packets) {
  const bool v4 = program.ruleset().family == Family::kIpv4;
  ListChooser chooser(world.choices);
  Engine engine(world, v4 ? &program : nullptr, v4 ? nullptr : &program, chooser);
  TraceReport report;
  std::size_t number = 0;
  for (const TracePacket& one : packets) {
    report.text += headline(one.packet, ++number);
    Trace steps;
    engine.set_trace(&steps);
    std::string end;
    try {
      end = ending(engine.inject(one.packet));
    } catch (const Unmodelled& unmodelled) {
      end = fmt::format("=> unknown: {}\n", unmodelled.what());
      report.exit_status = 3;
    }
    Writer writer(program);
    for (const TraceStep& step : steps) writer.step(step);
    report.text += writer.text + end;
    if (report.exit_status != 0) break;
  }
  for (const Choice& choice : chooser.made()) {
    report.text += fmt::format("assumed: {} in {} is {}\n", choice.why, choice.rule,
                               choice.value == 0 ? "false" : "true");
  }
  return report;
}

}  // namespace postern
