// Answers for people: the verdict first, then the packets one by one, each with its rules and the
// conntrack line after it, then what the witness stands for.
#include <fmt/format.h>

#include <algorithm>

#include "analyzer/answer.hpp"
#include "analyzer/flags_text.hpp"
#include "engine/view.hpp"
#include "flow/conntrack.hpp"
#include "net/no_protocol.hpp"
#include "net/protocol.hpp"
#include "scenario/serialise.hpp"
#include "symbolic/witness/witness_world.hpp"

namespace postern {
namespace {

// ANSI escapes, or nothing.
struct Style {
  bool color;
  std::string wrap(std::string_view code, std::string_view text) const {
    return color ? fmt::format("\033[{}m{}\033[0m", code, text) : std::string(text);
  }
  std::string bold(std::string_view text) const { return wrap("1", text); }
  std::string dim(std::string_view text) const { return wrap("2", text); }
};

bool has_ports(std::uint8_t number) {
  return number == protocol::kTcp || number == protocol::kUdp || number == protocol::kUdplite ||
         number == protocol::kSctp;
}

std::string endpoint(const Packet& p, const Address& address, std::uint16_t port) {
  if (!has_ports(p.protocol)) return address.text();
  const bool v6 = address.family == Family::kIpv6;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", address.text(), v6 ? "]" : "", port);
}

std::string packet_line(const Packet& p) {
  std::string detail = protocol_name(p.protocol);
  if (p.protocol == protocol::kTcp) detail = flags_text(p.flags);
  if (p.protocol == protocol::kSctp) detail += " " + sctp_chunks_text(p.chunks);
  if (p.protocol == protocol::kIcmp || p.protocol == protocol::kIcmpv6) {
    detail += fmt::format(" type {} code {}", p.type, p.code);
  }
  if (p.bad_checksum) detail += ", wrong checksum";
  if (p.raw_l4 && p.fragment_offset == 0) {
    const bool cut = p.raw_l4->size() < layer4_header_size(p.protocol);
    const bool lite = p.protocol == protocol::kUdplite;  // has a checksum's length there
    if (cut) detail += ", cut short";
    if (!cut && !lite && view_of(readable(p)).bad_length) detail += ", wrong length";
  }
  return fmt::format("{} > {} {}", endpoint(p, p.source, p.source_port),
                     endpoint(p, p.destination, p.destination_port), detail);
}

std::string tuple_text(const TupleReport& t) {
  std::string out = fmt::format("src={} dst={}", t.source.text(), t.destination.text());
  if (t.source_port) out += fmt::format(" sport={}", *t.source_port);
  if (t.destination_port) out += fmt::format(" dport={}", *t.destination_port);
  if (t.icmp_type) out += fmt::format(" type={}", *t.icmp_type);
  if (t.icmp_code) out += fmt::format(" code={}", *t.icmp_code);
  if (t.icmp_id) out += fmt::format(" id={}", *t.icmp_id);
  return out;
}

// As `conntrack -L` prints it, without the timeout.
std::string entry_line(const EntryReport& e) {
  std::string out = fmt::format("{} {} {}", protocol_name(e.protocol), e.protocol, e.state);
  if (!e.state.empty()) out += ' ';
  out += tuple_text(e.original);
  if (e.unreplied()) out += " [UNREPLIED]";
  out += ' ' + tuple_text(e.reply);
  if (e.assured()) out += " [ASSURED]";
  if (e.mark != 0) out += fmt::format(" mark={}", e.mark);
  if (e.zone != 0) out += fmt::format(" zone={}", e.zone);
  return out;
}

std::string states_text(const WitnessStep& step) {
  std::string out;
  for (const Hook hook : hooks(step.path)) {
    const auto at = step.ctstate.find(hook);
    if (at == step.ctstate.end()) continue;
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", text(hook), text(at->second));
  }
  return out;
}

// The payload of a packet that a helper reads, in quotation marks.
std::string said(const WitnessStep& step) {
  if (!step.of_master || step.packet.payload.empty()) return {};
  std::string text;
  for (const std::uint8_t byte : step.packet.payload) {
    const bool printable = byte >= 0x20 && byte < 0x7f;
    if (byte == '\r') continue;
    text += printable      ? std::string(1, static_cast<char>(byte))
            : byte == '\n' ? std::string("\\n")
                           : fmt::format("\\x{:02x}", byte);
  }
  return " \"" + text + "\"";
}

void add_step(std::string& out, const WitnessStep& step, std::size_t number, Style style) {
  if (step.wait_ms) out += fmt::format("     wait {} s\n", (*step.wait_ms + 999) / 1000);
  out += fmt::format("  {}. {:<9} {}  {}\n", number, step.sender + ":",
                     style.bold(packet_line(step.packet) + said(step)), text(step.verdict));
  if (const std::string states = states_text(step); !states.empty()) {
    out += fmt::format("       state: {}\n", states);
  }
  for (const MatchedRule& rule : step.rules) {
    out += fmt::format("       {} {} {}, line {}: {}\n", text(rule.table), rule.chain, rule.number,
                       rule.line, style.dim(rule.text));
  }
  if (step.entries.empty()) out += "       conntrack: no entry\n";
  for (const auto& entry : step.entries) {
    out += fmt::format("       conntrack: {}\n", entry_line(entry));
  }
}

// Every value that the field can have: nothing to read for a person (JSON has it).
bool says_nothing(Field field, Family family, const IntervalList& intervals) {
  const u128 most = field == Field::kLength ? longest_packet(family) : low_bits(info(field).width);
  switch (field) {
    case Field::kLength:
    case Field::kTtl:
    case Field::kTos:
    case Field::kIcmpCode:
      return intervals.size() == 1 && intervals.front().first == 0 &&
             intervals.front().second == most;
    default:
      return false;
  }
}

std::string box_text(const FieldBox& box, Family family) {
  std::string out;
  for (const auto& [field, intervals] : box) {
    if (says_nothing(field, family, intervals)) continue;
    out += fmt::format("{}{} ", out.empty() ? "" : "; ", info(field).name);
    if (field == Field::kTcpFlags) {
      out += tcp_flags_text(intervals);
      continue;
    }
    for (std::size_t i = 0; i < intervals.size(); ++i) {
      if (i == 8 && intervals.size() > 9) {
        out += fmt::format(" and {} more", intervals.size() - i);
        break;
      }
      out += fmt::format("{}{}", i == 0 ? "" : ",", field_text(field, family, intervals[i]));
    }
  }
  return out;
}

// The witness says it already. True of an empty box.
bool is_one_point(const FieldBox& box) {
  return std::ranges::all_of(box, [](const auto& item) {
    return item.second.size() == 1 && item.second.front().first == item.second.front().second;
  });
}

std::string but(const Answer& a, const FieldBox& box) {
  const std::string exception = box_exception(a, box);
  return exception.empty() ? "" : "; but " + exception;
}

// The address from which Linux speaks to one of its own.
std::string usual_source(const std::string& destination) {
  return destination.starts_with("127.") ? "127.0.0.1" : destination;
}

// Does the world of the witness give this host the address?
bool is_own(const Scenario& world, const Address& a) {
  return is_loopback(a) || std::ranges::any_of(world.interfaces, [&](const Interface& one) {
           return std::ranges::find(one.addresses, a, &InterfaceAddress::address) !=
                  one.addresses.end();
         });
}

// Does it take a socket that no such program has: a raw one, or one that is bound to a device?
bool sent_by_unusual_socket(const Answer& a) {
  const bool lo = a.path == Path::kLoopback;
  if (!a.scenario || (a.path != Path::kOut && !lo)) return false;
  const WitnessStep& first = a.beginning();
  if (!is_own(*a.scenario, first.packet.source)) return true;
  const bool moved = std::ranges::any_of(first.entries, [](const EntryReport& entry) {
    return (entry.status & ct_status::kDestinationNat) != 0;
  });
  return !moved && is_own(*a.scenario, first.packet.destination) != lo;
}

bool confirmed(const Answer& a) { return a.on_kernel && a.on_kernel->confirmed; }

std::string verdict_sentence(const Answer& a) {
  static constexpr std::string_view kYes[] = {
      "such a packet is delivered", "such a conversation can be held", "such an entry can be left"};
  static constexpr std::string_view kNo[] = {
      "no such packet is ever delivered, after packet sequences of any length",
      "no such conversation can be held",
      "no sequence of packets of any length leaves such an entry"};
  const auto verb = static_cast<std::size_t>(a.verb);
  switch (a.truth) {
    case Truth::kYes:
      return fmt::format("{} ({} packet{}{}{})", kYes[verb], a.witness.size(),
                         a.witness.size() == 1 ? "" : "s", a.replayed ? ", replayed" : "",
                         confirmed(a) ? ", " + to_text(*a.on_kernel) : "");
    case Truth::kNo:
      return std::string(kNo[verb]);
    case Truth::kUnknown:
      return {};
  }
  return {};
}

}  // namespace

std::string_view text(Truth truth) {
  switch (truth) {
    case Truth::kYes:
      return "yes";
    case Truth::kNo:
      return "no";
    case Truth::kUnknown:
      return "unknown";
  }
  return "";
}

std::string box_exception(const Answer& answer, const FieldBox& box) {
  if (answer.witness.empty() || is_one_point(box)) return "";
  const Packet& first = answer.beginning().packet;
  const auto meet = [&](Field one, Field other) {
    const auto a = box.find(one), b = box.find(other);
    if (a == box.end() || b == box.end()) return false;
    return std::ranges::any_of(a->second, [&](const auto& x) {
      return std::ranges::any_of(
          b->second, [&](const auto& y) { return x.first <= y.second && y.first <= x.second; });
    });
  };
  const bool lo = answer.path == Path::kLoopback;
  const bool ports = has_ports(tracker_of(first.protocol));
  const bool icmp = first.protocol == protocol::kIcmp || first.protocol == protocol::kIcmpv6;
  const bool itself = first.source == first.destination &&
                      (!lo || !ports || first.source_port == first.destination_port);
  if (!meet(Field::kSource, Field::kDestination) || itself || (lo && icmp)) return "";
  if (!lo || !ports) return "src = dst";
  return meet(Field::kSourcePort, Field::kDestinationPort) ? "src = dst with sport = dport" : "";
}

std::string field_text(Field field, Family family, std::pair<u128, u128> interval) {
  const auto one = [&](u128 value) {
    if (field == Field::kSource || field == Field::kDestination) {
      return Address{family, value}.text();
    }
    if (field == Field::kTcpFlags) return flags_text(static_cast<std::uint8_t>(value));
    return to_decimal(value);
  };
  const auto& [lo, hi] = interval;
  if (lo == hi && field == Field::kProtocol) {
    if (family == Family::kIpv6 && lo == kNoProtocol6) return "none";
    return protocol_name(static_cast<std::uint8_t>(lo));
  }
  if (lo == hi) return one(lo);
  return fmt::format("{}-{}", one(lo), one(hi));
}

std::string to_text(const Answer& a, bool color) {
  const Style style{color};
  const std::string_view code = a.truth == Truth::kUnknown ? "33" : "1";
  std::string out =
      fmt::format("{} ({})\n  {}{}", style.bold(a.query), text(a.path),
                  style.wrap(code, text(a.truth)), a.conditional ? ", under conditions" : "");
  const std::string sentence = verdict_sentence(a);
  out += sentence.empty() ? "\n" : fmt::format(": {}\n", sentence);
  for (const auto& reason : a.reasons) out += fmt::format("  because {}\n", reason);
  if (a.on_kernel && !a.on_kernel->confirmed) out += fmt::format("  {}\n", to_text(*a.on_kernel));
  for (std::size_t i = 0; i < a.witness.size(); ++i) add_step(out, a.witness[i], i + 1, style);
  const Family family = a.witness.empty() ? a.family : a.witness.front().packet.family();
  for (const auto& [field, value] : a.found) {
    out += fmt::format("  found: {} {}\n", info(field).name,
                       field_text(field, family, {value, value}));
  }
  if (!a.generalised.empty()) {
    out += fmt::format("  every combination of: {}{}\n", box_text(a.generalised, family),
                       but(a, a.generalised));
  }
  if (!is_one_point(a.within_question) && a.within_question != a.generalised) {
    out += fmt::format("  within the question:  {}{}\n", box_text(a.within_question, family),
                       but(a, a.within_question));
  }
  if (a.completeness) {
    const Completeness& c = *a.completeness;
    if (c.by == "fixpoint") {
      out += fmt::format("  proof: fixpoint after {} layers{}\n", c.depth,
                         c.certified ? ", re-checked by Z3" : "");
    } else if (a.truth == Truth::kNo) {
      out += fmt::format("  proof: {}{}\n", c.by, c.certified ? ", re-checked by Z3" : "");
    }
  }
  if (a.backend == Backend::kNft) out += "  as iptables-nft runs it\n";
  for (const auto& assumption : a.assumptions) out += fmt::format("  assuming {}\n", assumption);
  for (const auto& command : reproduction(a)) out += fmt::format("  try: {}\n", command);
  return out;
}

std::vector<std::string> reproduction(const Answer& answer) {
  if (answer.witness.empty()) return {};
  const Packet& p = answer.beginning().packet;
  if (p.fragment_offset != 0 || p.raw_l4) return {};  // no such program sends one
  if (sent_by_unusual_socket(answer)) return {};
  const std::string six = p.family() == Family::kIpv6 ? " -6" : "";
  const std::string to = p.destination.text();
  // Over loopback a program has to ask for any other address of its host.
  const bool other = answer.path == Path::kLoopback && p.source.text() != usual_source(to);
  const std::string bound = other ? fmt::format(" -s {}", p.source.text()) : "";
  if (p.protocol == protocol::kTcp && p.flags == tcp_flag::kSyn && !p.bad_checksum) {
    return {fmt::format("nc{}{} -p {} {} {}", six, bound, p.source_port, to, p.destination_port)};
  }
  if (p.protocol == protocol::kTcp) {
    static constexpr std::pair<std::uint8_t, std::string_view> kScans[] = {
        {tcp_flag::kAck, "-sA"},
        {0, "-sN"},
        {tcp_flag::kFin, "-sF"},
        {tcp_flag::kFin | tcp_flag::kPsh | tcp_flag::kUrg, "-sX"}};
    std::string scan = fmt::format("-sS --scanflags {}", p.flags);
    for (const auto& [flags, option] : kScans) {
      if (flags == p.flags) scan = option;
    }
    if (p.bad_checksum) scan += " --badsum";
    const std::string from = other ? fmt::format(" -S {} -e lo", p.source.text()) : "";
    return {fmt::format("nmap{} {} -Pn{} -g {} -p {} {}", six, scan, from, p.source_port,
                        p.destination_port, to)};
  }
  if (p.protocol == protocol::kUdp && p.bad_checksum) {
    return {fmt::format("nmap{} -sU --badsum -Pn -g {} -p {} {}", six, p.source_port,
                        p.destination_port, to)};
  }
  if (p.bad_checksum) return {};
  if (p.protocol == protocol::kUdp) {
    return {
        fmt::format("nc{}{} -u -p {} {} {}", six, bound, p.source_port, to, p.destination_port)};
  }
  if (p.type == 8 && p.protocol == protocol::kIcmp) return {"ping -c 1 " + to};
  if (p.type == 128 && p.protocol == protocol::kIcmpv6) return {"ping -6 -c 1 " + to};
  return {};
}

}  // namespace postern
