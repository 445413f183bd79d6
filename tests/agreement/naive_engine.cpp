#include "naive_engine.hpp"

#include <algorithm>
#include <stdexcept>

namespace naive {
namespace {

// The appendix of kernel-facts.md (tcp_loose=1, be_liberal=0): for each entry state and sender the
// columns SYN, SYN,ACK, ACK, FIN,ACK, RST. A letter for the state seen (N E I) and the entry's next
// state. A RST that comes before any reply deletes the entry instead (fact 33). "sim": reached by
// simultaneous open.
struct Row {
  const char* state;
  bool reply;
  const char* cells[5];
};
constexpr Row kRows[] = {
    {"SYN_SENT", false, {"N SS", "I SS", "I SS", "I SS", "N CL"}},
    {"SYN_SENT", true, {"E S2", "E SR", "E SS", "I SS", "E CL"}},
    {"SYN_RECV", false, {"E SR", "E SR", "E ES", "E FW", "E CL"}},
    {"SYN_RECV", true, {"I SR", "E SR", "E SR", "E FW", "E CL"}},
    {"SYN_RECV sim", false, {"E SR", "E SR", "E SR", "E SR", "E SR"}},
    {"SYN_RECV sim", true, {"I SR", "E SR", "E ES", "E FW", "E CL"}},
    {"ESTABLISHED", false, {"E ES", "I ES", "E ES", "E FW", "E CL"}},
    {"ESTABLISHED", true, {"I ES", "E ES", "E ES", "E FW", "E CL"}},
    {"FIN_WAIT", false, {"E FW", "I FW", "E CW", "E LA", "E CL"}},
    {"FIN_WAIT", true, {"I FW", "E FW", "E CW", "E LA", "E CL"}},
    {"CLOSE_WAIT", false, {"E CW", "I CW", "E CW", "E LA", "E CL"}},
    {"CLOSE_WAIT", true, {"I CW", "E CW", "E CW", "E LA", "E CL"}},
    {"LAST_ACK", false, {"E LA", "I LA", "E TW", "E LA", "E CL"}},
    {"LAST_ACK", true, {"I LA", "E LA", "E TW", "E LA", "E CL"}},
    {"CLOSE", false, {"E CL", "I CL", "E CL", "E CL", "E CL"}},
    {"CLOSE", true, {"I CL", "E CL", "E CL", "E CL", "E CL"}},
    {"SYN_SENT2", false, {"E S2", "E SR", "I S2", "I S2", "E CL"}},
    {"SYN_SENT2", true, {"E S2", "E SR", "E S2", "I S2", "E CL"}},
};

const char* cell(const std::string& state, bool reply, Flags flags) {
  for (const Row& row : kRows) {
    if (row.state == state && row.reply == reply) return row.cells[static_cast<int>(flags)];
  }
  throw std::logic_error("no row for " + state);  // TIME_WAIT: more packets than were thought of
}

std::string full_name(const std::string& initials) {
  static const std::map<std::string, std::string> kNames{
      {"SS", "SYN_SENT"},    {"S2", "SYN_SENT2"}, {"SR", "SYN_RECV"},
      {"ES", "ESTABLISHED"}, {"FW", "FIN_WAIT"},  {"CW", "CLOSE_WAIT"},
      {"LA", "LAST_ACK"},    {"TW", "TIME_WAIT"}, {"CL", "CLOSE"},
  };
  return kNames.at(initials);
}

std::string name(State state) {
  switch (state) {
    case State::kInvalid:
      return "INVALID";
    case State::kNew:
      return "NEW";
    case State::kEstablished:
      return "ESTABLISHED";
    case State::kUntracked:
      return "UNTRACKED";
  }
  return "";
}

}  // namespace

std::string text(const Rule& rule) {
  std::string line = "-A " + rule.chain;
  if (rule.source) line += " -s " + *rule.source;
  if (rule.source_port || rule.destination_port || rule.only_syn) line += " -p tcp -m tcp";
  if (rule.source_port) line += " --sport " + std::to_string(*rule.source_port);
  if (rule.destination_port) line += " --dport " + std::to_string(*rule.destination_port);
  if (rule.only_syn) line += " --syn";
  for (const State state : rule.states) {
    if (state == rule.states.front()) {
      line += rule.not_states ? " -m conntrack ! --ctstate " : " -m conntrack --ctstate ";
    } else {
      line += ",";
    }
    line += name(state);
  }
  return line + (rule.go ? " -g " : " -j ") + rule.target + "\n";
}

bool Host::send(const Packet& packet) {
  const bool to_itself = std::ranges::find(own_, packet.destination) != own_.end();
  Attached attached;
  bool alive = true;
  // Facts 2 and 3; over lo it is one and the same packet, with what it carries.
  if (!packet.from_wire) {
    alive = hook("OUTPUT", packet, attached);
    if (alive) confirm(attached);  // POSTROUTING
  }
  if (alive && to_itself) {
    alive = hook("PREROUTING", packet, attached) && hook("INPUT", packet, attached);
    if (alive) confirm(attached);
  }
  (alive ? seen_.accepted : seen_.dropped) += 1;
  return alive;
}

bool Host::hook(const std::string& name, const Packet& packet, Attached& attached) {
  if (name != "INPUT") {
    // Facts 4 and 19: what was INVALID in OUTPUT carries nothing and is looked at again.
    if (attached.state == State::kInvalid) {
      attached = {};
      ++seen_.looked_up_again;
    }
    if (!walk(raw_, name, packet, attached)) return false;
    track(packet, attached);
  }
  if (name == "PREROUTING") return true;
  seen_.states[*attached.state] += 1;
  return walk(filter_, name, packet, attached);
}

// One built-in chain; a table without it filters nothing (fact 9).
bool Host::walk(const Table& table, const std::string& chain, const Packet& packet,
                Attached& attached) {
  const auto policy = table.policies.find(chain);
  if (policy == table.policies.end()) return true;
  const End end = run(table, chain, packet, attached, true);
  if (end == End::kReturn) return policy->second == "ACCEPT";
  return end == End::kAccept;
}

Host::End Host::run(const Table& table, const std::string& chain, const Packet& packet,
                    Attached& attached, bool builtin) {
  const auto rules = table.chains.find(chain);
  if (rules == table.chains.end()) return End::kReturn;
  for (const Rule& rule : rules->second) {
    if (!matches(rule, packet, attached)) continue;
    if (rule.target == "ACCEPT") return End::kAccept;
    if (rule.target == "DROP") return End::kDrop;
    if (rule.target == "RETURN") {
      (builtin ? seen_.builtin_return : seen_.user_return) += 1;
      return End::kReturn;
    }
    if (rule.target == "NOTRACK") {  // not the end of the walk (fact 23); void once tracked (4)
      if (!attached.state) {
        attached.state = State::kUntracked;
        ++seen_.notrack_works;
      } else if (attached.of_entry) {
        ++seen_.notrack_is_late;
      }
      continue;
    }
    const End end = run(table, rule.target, packet, attached, false);
    if (end != End::kReturn) return end;
    if (rule.go) {  // its end is our end (fact 9)
      ++seen_.fell_off_goto;
      return End::kReturn;
    }
  }
  return End::kReturn;
}

bool Host::matches(const Rule& rule, const Packet& packet, const Attached& attached) const {
  if (rule.source && *rule.source != packet.source) return false;
  if (rule.source_port && *rule.source_port != packet.source_port) return false;
  if (rule.destination_port && *rule.destination_port != packet.destination_port) return false;
  if (rule.only_syn && packet.flags != Flags::kSyn) return false;
  if (rule.states.empty()) return true;
  const State state = attached.state.value_or(State::kInvalid);
  const bool listed = std::ranges::find(rule.states, state) != rule.states.end();
  return listed != rule.not_states;
}

// nf_conntrack_in: an UNTRACKED mark and an entry stay (fact 4).
void Host::track(const Packet& packet, Attached& attached) {
  if (attached.state) return;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry& e = entries_[i];
    const bool same = e.source == packet.source && e.destination == packet.destination &&
                      e.source_port == packet.source_port &&
                      e.destination_port == packet.destination_port;
    const bool turned = e.source == packet.destination && e.destination == packet.source &&
                        e.source_port == packet.destination_port &&
                        e.destination_port == packet.source_port;
    if (!same && !turned) continue;
    seen_.replies += turned ? 1 : 0;
    attached.state = existing(i, turned, packet.flags);
    attached.of_entry = attached.state != State::kInvalid;
    return;
  }
  attached.state = first(packet, attached);
}

// Fact 28: SYN and ACK make entries, nothing else does.
State Host::first(const Packet& packet, Attached& attached) {
  if (packet.flags != Flags::kSyn && packet.flags != Flags::kAck) return State::kInvalid;
  Entry entry;
  entry.source = packet.source;
  entry.destination = packet.destination;
  entry.source_port = packet.source_port;
  entry.destination_port = packet.destination_port;
  entry.picked_up = packet.flags == Flags::kAck;
  entry.state = entry.picked_up ? "ESTABLISHED" : "SYN_SENT";
  attached.fresh = entry;
  attached.of_entry = true;
  return State::kNew;
}

State Host::existing(std::size_t index, bool reply, Flags flags) {
  Entry& entry = entries_[index];
  const bool simultaneous = entry.state == "SYN_RECV" && entry.simultaneous;
  const std::string found = cell(entry.state + (simultaneous ? " sim" : ""), reply, flags);
  if (found[0] == 'I') return State::kInvalid;
  // Fact 33: a RST before any reply was seen deletes the entry.
  const bool reset = flags == Flags::kRst && !entry.replied;
  // Fact 31: the server's SYN,ACK to a SYN that was let pass begins anew.
  const bool restart = entry.ignored_syn && reply && flags == Flags::kSynAck;
  const bool was_seen = entry.replied || reply;
  std::string next = found.substr(2);
  if (restart) {
    next = "SR";
    ++seen_.restarts;
  }
  entry.ignored_syn =
      !reply && flags == Flags::kSyn && entry.state != "SYN_SENT" && entry.state != "SYN_SENT2";
  entry.replied = was_seen;
  if (reset) {
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(index));
  } else {
    if (next == "S2") entry.simultaneous = true;
    if (restart) entry.simultaneous = false;
    entry.state = full_name(next);
    seen_.entries[entry.state] += 1;
  }
  // Fact 17: until a reply is seen everything of the original side is NEW.
  return was_seen ? State::kEstablished : State::kNew;
}

void Host::confirm(Attached& attached) {
  if (!attached.fresh) return;
  entries_.push_back(*attached.fresh);
  seen_.entries[attached.fresh->state] += 1;
  attached.fresh.reset();
}

}  // namespace naive
