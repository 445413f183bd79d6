// The conntrack table: entries by both tuples, a virtual clock, and the operations that hooks call.
//
// A packet carries an Attachment from hook to hook (the kernel's skb->_nfct). The pipeline calls,
// in kernel order: track() at Stage::kConntrack, confirm() at Stage::kConfirm, and nothing when the
// packet is dropped: an entry that was not confirmed dies with the last Attachment that holds it.
// Invariants: every entry in the table is confirmed and reachable by both tuples; of each
// direction, a tuple (with its zone) belongs to one entry at most. Covered by
// tests/unit/conntrack_*_test.cpp and, against Linux, tests/kernel/conntrack_test.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/conntrack_entry.hpp"
#include "engine/expectation.hpp"
#include "engine/view.hpp"
#include "flow/conntrack.hpp"
#include "flow/hooks.hpp"
#include "meaning/effect.hpp"
#include "scenario/result.hpp"

namespace postern {

using ConntrackEntryPtr = std::shared_ptr<ConntrackEntry>;

// What a packet carries. Without entry, `state` is kInvalid (nothing attached) or kUntracked.
struct Attachment {
  ConntrackEntryPtr entry;
  CtState state = CtState::kInvalid;
  CtDirection direction = CtDirection::kOriginal;

  bool untracked() const { return state == CtState::kUntracked; }
};

class ConntrackTable {
 public:
  explicit ConntrackTable(ConntrackConfig config = {}) : config_(config) {}

  const ConntrackConfig& config() const { return config_; }
  // "net/netfilter/nf_conntrack_tcp_loose" and the like; '.' may stand for '/'. False when it is
  // not a parameter of connection tracking or the value is no number. Existing entries keep
  // deadlines.
  bool set_sysctl(std::string_view key, std::string_view value);

  // nf_conntrack_in: finds or makes the entry of a whole (defragmented) packet, moves its state and
  // fills `attachment`. An attachment that already has an entry or is untracked stays as it is (the
  // second half of loopback, REJECT's replies, NOTRACK). `hook` is PREROUTING or OUTPUT: checksums
  // are only looked at in PREROUTING. `request`: what a CT target asked for. A new entry is not in
  // the table before confirm().
  void track(const PacketView& packet, Hook hook, Attachment& attachment,
             const AttachTemplate* request = nullptr);

  // nf_conntrack_confirm: puts a new entry into the table. False: the packet must be dropped, as
  // another entry has one of its tuples, or the entry died meanwhile. True for everything else.
  bool confirm(Attachment& attachment);

  // What the kernel's own answer (REJECT's reset or ICMP error, nf_ct_attach) to a packet carries:
  // its entry, RELATED, in the other direction; nothing when the packet has none.
  Attachment attach_answer(const Attachment& to) const;
  // REJECT --reject-with tcp-reset closes a confirmed entry (nf_conntrack_tcp_set_closing).
  void close_by_reset(const Attachment& rejected);

  // Removes the entry (it lives on while packets carry it).
  void erase(ConntrackEntryPtr entry);
  void flush();

  // The virtual clock, milliseconds from 0. Advancing removes expired entries.
  std::uint64_t now() const { return now_; }
  void advance(std::uint64_t milliseconds);

  // The entry that has this tuple in either direction, and which; null when none.
  struct Found {
    ConntrackEntryPtr entry;
    CtDirection direction = CtDirection::kOriginal;
  };
  // What a packet of this zone meets (the tuple's own zone does not count): an entry by its
  // original tuple whose original direction is in the packet's zone of that direction, or the same
  // of its reply.
  Found find(CtTuple tuple, ConntrackZone zone = {}) const;
  // NAT asks: does another flow answer to this tuple? Two entries of one original tuple and zone
  // are the same flow. The second form, for the last few places of a range, ends a dead TCP flow
  // that stands in the way of a newer one.
  bool taken(const CtTuple& reply, const ConntrackEntry& by) const;
  bool taken_even_if_scarce(const CtTuple& reply, const ConntrackEntry& by, unsigned left);
  // Is what stands in the way of this tuple the same UDP flow the other way round, without NAT?
  // Linux takes that for a race that confirmation will settle; with zones it is none, and the
  // packet dies there (nf_nat_used_tuple_new).
  bool met_only_itself(const CtTuple& tuple, const ConntrackEntry& by) const;
  std::size_t size() const { return count_; }
  ExpectationTable& expectations() { return expectations_; }
  const ExpectationTable& expectations() const { return expectations_; }
  // In order of creation.
  std::vector<ConntrackEntryPtr> entries() const;
  std::vector<EntryReport> report() const;

 private:
  struct TupleHash {
    std::size_t operator()(const CtTuple& tuple) const { return tuple.hash(); }
  };
  // True when that settles the packet's attachment (RELATED, UNTRACKED or INVALID); false: a query.
  bool track_icmp_error(const PacketView& packet, Hook hook, Attachment& attachment,
                        ConntrackZone zone);
  void relate(const PacketView& packet, Attachment& attachment, ConntrackZone zone) const;
  // Null for an ICMP type that has no answer. Takes the expectation that the new flow fulfils.
  ConntrackEntryPtr make_entry(CtTuple tuple, ConntrackZone zone, const AttachTemplate* request);
  // Who has this tuple in its own zone, by direction: two flows can only where zones differ.
  struct Owners {
    ConntrackEntryPtr original, reply;
  };
  // The owners that a packet or entry of this zone meets at the tuple.
  Owners owners(const CtTuple& tuple, ConntrackZone zone) const;
  bool clashes(const CtTuple& tuple, ConntrackZone zone) const;

  ConntrackConfig config_;
  std::uint64_t now_ = 0, next_serial_ = 1;
  std::size_t count_ = 0;
  std::unordered_map<CtTuple, Owners, TupleHash> table_;
  ExpectationTable expectations_;
};

}  // namespace postern
