// The third opinion: a deliberately naive firewall host, written from the measurements alone
// (kernel-facts.md) and including nothing of lib/ (tests/layering.cmake sees to it). It knows TCP,
// one host, the tables raw and filter, a few matches and targets, and nothing of NAT, REJECT,
// marks, timeouts or windows: its packets always carry the numbers that the other side expects.
// Slow and plain on purpose: chains are walked by recursion, conntrack is the measured table typed
// in as it stands in the appendix, rows per state and sender, cells "state seen, new state".
// Used by exhaustive_test.cpp.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace naive {

enum class Flags { kSyn, kSynAck, kAck, kFinAck, kRst };  // the columns of the measured table
enum class State { kInvalid, kNew, kEstablished, kUntracked };

struct Packet {
  bool from_wire = false;  // arrives on eth0; else sent by a local process
  std::string source, destination;
  int source_port = 0, destination_port = 0;
  Flags flags = Flags::kSyn;
};

// A rule of one chain: every test that is set must hold.
struct Rule {
  std::string chain;
  std::optional<std::string> source = {};
  std::optional<int> source_port = {}, destination_port = {};
  bool only_syn = false;           // --syn
  std::vector<State> states = {};  // --ctstate; empty: not asked
  bool not_states = false;         // ! --ctstate
  std::string target;              // ACCEPT, DROP, RETURN, NOTRACK or a chain
  bool go = false;                 // -g: the target chain's end is this chain's end
};

// The rule as iptables-save prints it.
std::string text(const Rule& rule);

// Chains of one table by name; built-in ones have a policy ("ACCEPT", "DROP").
struct Table {
  std::map<std::string, std::string> policies;
  std::map<std::string, std::vector<Rule>> chains;
  void append(const Rule& rule) { chains[rule.chain].push_back(rule); }
};

struct Entry {
  std::string source, destination;  // as its first packet had them
  int source_port = 0, destination_port = 0;
  std::string state;  // "SYN_SENT"
  bool replied = false;
  // Hidden: it began in the middle; both sides sent a SYN first; the SYN that was let pass without
  // effect is remembered.
  bool picked_up = false, simultaneous = false, ignored_syn = false;
};

// What has come up, so that a test can ask whether its worlds are rich enough.
struct Seen {
  std::map<State, unsigned long> states;  // when INPUT, or OUTPUT on the way out, is walked
  std::map<std::string, unsigned long> entries;
  unsigned long accepted = 0, dropped = 0, notrack_works = 0, notrack_is_late = 0,
                looked_up_again = 0, user_return = 0, builtin_return = 0, fell_off_goto = 0,
                replies = 0, restarts = 0;
};

class Host {
 public:
  Host(const Table& raw, const Table& filter, std::vector<std::string> own_addresses)
      : raw_(raw), filter_(filter), own_(std::move(own_addresses)) {}

  // Does it reach its destination (a local socket, or the wire)?
  bool send(const Packet& packet);
  void flush() { entries_.clear(); }
  const std::vector<Entry>& entries() const { return entries_; }
  const Seen& seen() const { return seen_; }

 private:
  // What a packet carries along.
  struct Attached {
    std::optional<State> state;
    std::optional<Entry> fresh;  // made by this packet, not in the table yet
    bool of_entry = false;       // belongs to an entry, fresh or not
  };
  enum class End { kAccept, kDrop, kReturn };

  bool hook(const std::string& name, const Packet& packet, Attached& attached);
  bool walk(const Table& table, const std::string& chain, const Packet& packet, Attached& attached);
  End run(const Table& table, const std::string& chain, const Packet& packet, Attached& attached,
          bool builtin);
  bool matches(const Rule& rule, const Packet& packet, const Attached& attached) const;
  void track(const Packet& packet, Attached& attached);
  State first(const Packet& packet, Attached& attached);
  State existing(std::size_t index, bool reply, Flags flags);
  void confirm(Attached& attached);

  const Table& raw_;
  const Table& filter_;
  std::vector<std::string> own_;
  std::vector<Entry> entries_;
  Seen seen_;
};

}  // namespace naive
