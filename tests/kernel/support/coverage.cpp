// Counting. Covered by campaign_test.cpp.
#include "tests/kernel/support/coverage.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "flow/odd_headers.hpp"
#include "net/protocol.hpp"

namespace postern::kernel {
namespace {

// "SYN_RECV(sim)" -> "SYN_RECV"; what conntrack prints of an entry in that row.
std::string state_of_row(const std::string& row) {
  if (row == "pickup") return "ESTABLISHED";
  if (row == "NONE") return "";
  return row.substr(0, row.find('('));
}

bool speaks_of(const TupleReport& tuple, const Packet& packet) {
  if (tuple.icmp_id) {
    return tuple.source == packet.source && tuple.destination == packet.destination &&
           tuple.icmp_id == packet.icmp_id && tuple.icmp_type == packet.type;
  }
  const bool hosts = tuple.source == packet.source && tuple.destination == packet.destination;
  return hosts && tuple.source_port.value_or(packet.source_port) == packet.source_port &&
         tuple.destination_port.value_or(packet.destination_port) == packet.destination_port;
}

const EntryReport* entry_of(const PacketReport& report, const Packet& packet) {
  for (const EntryReport& entry : report.conntrack) {
    if (entry.protocol != packet.protocol) continue;
    if (speaks_of(entry.original, packet) || speaks_of(entry.reply, packet)) return &entry;
  }
  return nullptr;
}
std::string state_after(const PacketReport& report, const Packet& packet) {
  const EntryReport* entry = entry_of(report, packet);
  return entry != nullptr ? entry->state : "";
}

std::string state_text(const PacketReport& report) {
  return report.state.empty() ? "without tracking"
                              : std::string(text(report.state.begin()->second));
}

}  // namespace

Coverage::Coverage(const MadeScenario& made) : made_(&made), table_(table_of(made.scenario)) {}

void Coverage::merge(const Coverage& other) {
  for (const auto count :
       {&Coverage::packets, &Coverage::dropped, &Coverage::passed, &Coverage::existing,
        &Coverage::nated, &Coverage::answers, &Coverage::rule_hits}) {
    this->*count += other.*count;
  }
  for (const auto counts :
       {&Coverage::verdicts, &Coverage::states, &Coverage::families, &Coverage::backends,
        &Coverage::targets, &Coverage::reached, &Coverage::targets_of}) {
    for (const auto& [name, count] : other.*counts) (this->*counts)[name] += count;
  }
  for (const auto counts : {&Coverage::matches, &Coverage::matches_of}) {
    for (const auto& [name, count] : other.*counts) {
      (this->*counts)[name].yes += count.yes;
      (this->*counts)[name].no += count.no;
    }
  }
  for (const auto& [table, of_table] : other.cells) {
    for (const auto& [cell, count] : of_table) cells[table][cell] += count;
  }
}

void Coverage::add_rules(const Trace& trace, const Program& program) {
  const Family family = program.ruleset().family;
  for (const TraceStep& step : trace) {
    if (step.kind != TraceStep::Kind::kRule || step.family != family) continue;
    const Rule& rule = *program.rules()[step.rule].rule;
    for (std::size_t i = 0; i < rule.clauses.size(); ++i) {
      const Clause& clause = rule.clauses[i];
      const bool failed = step.failed && *step.failed == i;
      std::string name = clause.module.empty() ? clause.printed.substr(0, clause.printed.find(' '))
                                               : clause.module;
      if (name == "!") name = clause.printed.substr(2, 2);
      for (Count* count : {&matches[name], &matches_of[key(name, family)]}) {
        ++(failed ? count->no : count->yes);
      }
      if (failed) break;
    }
    if (!step.matched) continue;
    ++rule_hits;
    if (!std::holds_alternative<Effect>(rule.action)) continue;
    ++targets[rule.target];
    ++targets_of[key(rule.target, family)];
    if (state_ == CtState::kRelated) ++reached[rule.target + " of RELATED"];
  }
}

const std::vector<std::string>& Coverage::reaches() {
  static const std::vector<std::string> kAll{
      "error about a flow: RELATED",
      "error about a flow: INVALID",
      "TCP outside of its window",
      "NAT took another port",
      "child of a helper",
      "entry in a zone",
      "fragments",
      "neighbour discovery",
      "no hop left behind PREROUTING",
      "TTL 0",
      "both ends here",
      "protocol 132 in ESTABLISHED",
      "protocol 132 in SHUTDOWN_ACK_SENT",
      "protocol 33 seen both ways",
      "protocol 47 seen both ways",
      "protocol 136 seen both ways",
      "protocol 253 seen both ways",
      "IPv6 without a next header",
      "IPv6 without a protocol",
      "call of PPTP",
      "GRE without PPP: INVALID",
      "coverage of UDP-Lite: INVALID",
      "redirect: RELATED",
      "CONNMARK of RELATED",
  };
  return kAll;
}

// What conntrack takes apart in its own way.
void Coverage::add_odd(const Packet& packet, const std::string& state) {
  const bool six = packet.family() == Family::kIpv6;
  if (six && packet.protocol == kNoNextHeader && state == "INVALID") {
    ++reached["IPv6 without a next header"];
  }
  if (is_extension_header(packet.family(), packet.protocol) && state == "INVALID") {
    ++reached["IPv6 without a protocol"];
  }
  if (packet.protocol == protocol::kIcmpv6 && packet.type == kIcmpv6Redirect) {
    ++reached["redirect: " + state];
  }
  if (!packet.raw_l4) return;
  const bool known = state == "NEW" || state == "ESTABLISHED";
  const Bytes& l4 = *packet.raw_l4;
  if (packet.protocol == protocol::kUdplite) ++reached["coverage of UDP-Lite: " + state];
  if (packet.protocol != protocol::kGre || l4.size() < kPptpBytes || l4[1] != kPptpVersion) return;
  if (known && l4[7] != 0) ++reached["call of PPTP"];
  if (l4[2] != 0x88) ++reached["GRE without PPP: " + state];
}

void Coverage::add_reached(const Packet& packet, const PacketReport& report) {
  const std::string state = state_text(report);
  if (packet.inner) ++reached["error about a flow: " + state];
  if (packet.fragment_size != 0) ++reached["fragments"];
  if (packet.protocol == protocol::kIcmpv6 && packet.type >= 133 && packet.type <= 137) {
    ++reached["neighbour discovery"];
  }
  if (packet.local() && report.verdict == Verdict::kDelivered) ++reached["both ends here"];
  if (packet.ttl == 0) ++reached["TTL 0"];
  if (packet.ttl < 2 && report.died_at == "after PREROUTING") {
    ++reached["no hop left behind PREROUTING"];
  }
  add_odd(packet, state);
  const EntryReport* entry = entry_of(report, packet);
  if (entry == nullptr) return;
  if (packet.protocol == protocol::kTcp && state == "INVALID" && packet.flags == tcp_flag::kAck) {
    ++reached["TCP outside of its window"];
  }
  if (entry->original.source_port && !entry->original.icmp_id &&
      entry->reply.destination_port != entry->original.source_port) {
    ++reached["NAT took another port"];
  }
  if ((entry->status & ct_status::kExpected) != 0) ++reached["child of a helper"];
  if (entry->zone != 0) ++reached["entry in a zone"];
  const std::string number = "protocol " + std::to_string(packet.protocol);
  if (packet.protocol == protocol::kSctp) ++reached[number + " in " + entry->state];
  if (!entry->unreplied()) ++reached[number + " seen both ways"];
}

// A packet that should meet a cell did so when all that led to it went as it should, and the
// entry, before it came, was in the row's state.
void Coverage::add_cell(std::size_t step, const PacketReport& report) {
  const AimedPacket& aimed = made_->packets[step - made_->first_packet];
  if (aimed.flow < 0) return;
  Flow& flow = flows_[aimed.flow];
  if (aimed.begins) flow = {true, ""};
  if (aimed.aim && flow.clean && !report.state.empty() &&
      flow.state == state_of_row(aimed.aim->row)) {
    ++cells[table_][*aimed.aim];
  }
  const bool tracked = !report.state.empty() && report.state.begin()->second != CtState::kInvalid &&
                       report.state.begin()->second != CtState::kUntracked;
  flow.clean = flow.clean && tracked;
  flow.state = state_after(report, aimed.packet);
}

void Coverage::add(std::size_t step, const Packet& packet, const PacketReport& report,
                   const Trace& trace, const Program* program) {
  ++packets;
  ++verdicts[std::string(text(report.verdict))];
  ++(report.verdict == Verdict::kDropped ? dropped : passed);
  answers += report.replies.size();
  ++families[packet.family() == Family::kIpv4 ? "IPv4" : "IPv6"];
  ++backends[made_->scenario.backend == Backend::kNft ? "nft" : "legacy"];
  if (!report.state.empty()) {
    const CtState state = report.state.begin()->second;
    ++states[std::string(text(state))];
    if (state == CtState::kEstablished || state == CtState::kRelated) ++existing;
  }
  for (const EntryReport& entry : report.conntrack) {
    const bool mapped = (entry.status & (ct_status::kSourceNat | ct_status::kDestinationNat)) != 0;
    if (mapped && (speaks_of(entry.original, packet) || speaks_of(entry.reply, packet))) {
      ++nated;
      break;
    }
  }
  state_ = report.state.empty() ? CtState::kInvalid : report.state.begin()->second;
  if (program != nullptr) add_rules(trace, *program);
  add_reached(packet, report);
  if (step >= made_->first_packet) add_cell(step, report);
}

// The cells of this table that were met least.
std::string Coverage::rarest_of(const std::string& table,
                                const std::vector<TcpCellAim>& all) const {
  constexpr std::size_t kListed = 6;
  const auto met = [&](const TcpCellAim& cell) -> std::uint64_t {
    const auto of_table = cells.find(table);
    if (of_table == cells.end()) return 0;
    const auto at = of_table->second.find(cell);
    return at == of_table->second.end() ? 0 : at->second;
  };
  std::vector<TcpCellAim> sorted = all;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const auto& a, const auto& b) { return met(a) < met(b); });
  sorted.resize(std::min(sorted.size(), kListed));
  std::string text = "\nrarest of " + table + ":";
  for (const TcpCellAim& cell : sorted) {
    text += fmt::format(" {} {} {} {};", cell.row, cell.reply ? "reply" : "original", cell.column,
                        met(cell));
  }
  return text;
}

std::string Coverage::summary() const {
  const auto share = [&](std::uint64_t count) {
    return fmt::format("{:.1f} %", 100.0 * static_cast<double>(count) /
                                       static_cast<double>(std::max<std::uint64_t>(packets, 1)));
  };
  std::string text = fmt::format(
      "{} packets: {} passed, {} dropped, {} in an existing flow, {} with NAT; {} answers of the "
      "host, {} rule hits\n",
      packets, share(passed), share(dropped), share(existing), share(nated), answers, rule_hits);
  const auto list = [&](const char* title, const auto& counts) {
    text += std::string(title) + ":";
    for (const auto& [name, count] : counts) text += fmt::format(" {} {}", name, count);
    text += "\n";
  };
  list("families", families);
  list("backends", backends);
  list("fates", verdicts);
  list("states", states);
  list("targets", targets);
  text += "reached:";
  for (const auto& [name, count] : reached) text += fmt::format(" {} {};", name, count);
  text += "\n";
  text += "matches (true/false):";
  for (const auto& [name, count] : matches) {
    text += fmt::format(" {} {}/{}", name, count.yes, count.no);
  }
  text += "\nby family:";
  for (const auto& [name, count] : matches_of) {
    if (!name.starts_with('-')) text += fmt::format(" {}: {}/{};", name, count.yes, count.no);
  }
  for (const auto& [name, count] : targets_of) text += fmt::format(" {}: {};", name, count);
  std::string rarest;
  text += "\nTCP cells (met 20 times, met, all; hits):";
  for (const auto& [table, all] : measured_cells()) {
    std::uint64_t often = 0, met = 0, hits = 0;
    if (const auto of_table = cells.find(table); of_table != cells.end()) {
      for (const auto& [cell, count] : of_table->second) {
        ++met;
        hits += count;
        if (count >= 20) ++often;
      }
    }
    text += fmt::format(" {} {} {} {}; {}", table, often, met, all.size(), hits);
    rarest += rarest_of(table, all);
  }
  text += rarest;
  return text + "\n";
}

}  // namespace postern::kernel
