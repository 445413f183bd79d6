#include "engine/conntrack.hpp"

#include <algorithm>

#include "engine/conntrack_trackers.hpp"
#include "engine/conntrack_window.hpp"

namespace postern {
namespace {

Tracked run_tracker(ConntrackEntry& entry, const PacketView& packet, CtDirection direction,
                    const TrackContext& context) {
  switch (tracker_of(packet.protocol)) {
    case Tracker::kTcp:
      return track_tcp(entry, packet, direction, context);
    case Tracker::kUdp:
      return track_udp(entry, packet, context);
    case Tracker::kUdplite:
      return track_udplite(entry, packet, context);
    case Tracker::kIcmp:
    case Tracker::kIcmpv6:
      return track_icmp(entry, packet, context);
    case Tracker::kSctp:
      return track_sctp(entry, packet, direction, context);
    case Tracker::kGre:
      return track_gre(entry, context);
    case Tracker::kGeneric:
      break;
  }
  return track_generic(entry, context);
}

// What rules see of an existing entry; decided before the packet moves it.
CtState state_of(const ConntrackEntry& entry, CtDirection direction) {
  if (direction == CtDirection::kReply || entry.seen_reply()) return CtState::kEstablished;
  return (entry.status & ct_status::kExpected) != 0 ? CtState::kRelated : CtState::kNew;
}

bool icmp_of_family(const PacketView& packet) {
  return packet.protocol == (packet.family == Family::kIpv4 ? protocol::kIcmp : protocol::kIcmpv6);
}

}  // namespace

ConntrackTable::Found ConntrackTable::find(const CtTuple& tuple) const {
  const auto at = table_.find(tuple);
  if (at == table_.end()) return {};
  Found found = at->second;
  // A tuple that is its own inverse: Linux hashes the reply last and finds it first.
  if (found.entry->original == found.entry->reply) found.direction = CtDirection::kReply;
  return found;
}

ConntrackEntryPtr ConntrackTable::make_entry(const CtTuple& tuple) {
  const auto reply = tuple.inverse();
  if (!reply) return nullptr;
  auto entry = std::make_shared<ConntrackEntry>();
  entry->original = tuple;
  entry->reply = *reply;
  entry->created = now_;
  return entry;
}

void ConntrackTable::track(const PacketView& packet, Hook hook, Attachment& attachment,
                           const ConntrackTemplate* request) {
  if (attachment.entry || attachment.untracked()) return;
  attachment = {};
  if (packet.fragment_offset != 0) return;
  if (icmp_of_family(packet) && track_icmp_error(packet, hook, attachment)) return;
  auto tuple = tuple_of(packet);
  if (!tuple) return;
  if (request != nullptr) tuple->zone = request->zone;
  const TrackContext context{config_, now_, hook};
  // At most twice: after a SYN has ended an entry there is none.
  for (;;) {
    Found found = find(*tuple);
    if (!found.entry) found.entry = make_entry(*tuple);
    if (!found.entry) return;
    const CtState state = state_of(*found.entry, found.direction);
    const Tracked outcome = run_tracker(*found.entry, packet, found.direction, context);
    if (outcome == Tracked::kInvalid) return;
    if (outcome != Tracked::kValid) erase(found.entry);
    if (outcome == Tracked::kReopens) continue;
    attachment = {found.entry, state, found.direction};
    if (found.direction == CtDirection::kReply) found.entry->status |= ct_status::kSeenReply;
    return;
  }
}

bool ConntrackTable::taken(const CtTuple& reply, const ConntrackEntry& by) const {
  const Found found = find(reply);
  return found.entry && found.entry.get() != &by && found.entry->original != by.original;
}

// nf_nat_used_tuple_harder: an SNATed flow that is over (TIME_WAIT, CLOSE) gives way to a SYN
// beyond its sequence numbers.
bool ConntrackTable::taken_even_if_scarce(const CtTuple& reply, const ConntrackEntry& by,
                                          unsigned left) {
  constexpr unsigned kScarce = 32;
  if (left > kScarce || reply.protocol != protocol::kTcp || by.tcp.state != TcpState::kSynSent) {
    return taken(reply, by);
  }
  const Found found = find(reply);
  if (!found.entry) return false;
  const ConntrackEntry& old = *found.entry;
  const auto original = static_cast<std::size_t>(CtDirection::kOriginal);
  const bool advanced = seq_after(by.tcp.side[original].end, old.tcp.side[original].end);
  if (found.direction == CtDirection::kOriginal || old.tcp.state < TcpState::kTimeWait ||
      (old.status & ct_status::kSourceNat) == 0 || !advanced) {
    return true;
  }
  erase(found.entry);
  return false;
}

bool ConntrackTable::confirm(Attachment& attachment) {
  if (!attachment.entry || attachment.entry->confirmed()) return true;
  // The host's own answer carries the entry of the packet that it answers: that one may confirm it.
  if (attachment.direction == CtDirection::kReply) return true;
  ConntrackEntry& entry = *attachment.entry;
  if (entry.dying || table_.contains(entry.original) || table_.contains(entry.reply)) return false;
  entry.status |= ct_status::kConfirmed;
  entry.serial = next_serial_++;
  table_.emplace(entry.original, Found{attachment.entry, CtDirection::kOriginal});
  table_.emplace(entry.reply, Found{attachment.entry, CtDirection::kReply});
  return true;
}

Attachment ConntrackTable::attach_answer(const Attachment& to) const {
  if (!to.entry) return {};
  return {to.entry, CtState::kRelated, opposite(to.direction)};
}

void ConntrackTable::close_by_reset(const Attachment& rejected) {
  if (!rejected.entry || !rejected.entry->confirmed()) return;
  ConntrackEntry& entry = *rejected.entry;
  if (entry.original.protocol != protocol::kTcp) return;
  const bool closed = entry.tcp.state == TcpState::kClose;
  entry.tcp.state = TcpState::kClose;
  if (!closed) {
    const auto seconds = config_.timeouts.tcp[static_cast<std::size_t>(TcpState::kClose)];
    entry.deadline = now_ + std::uint64_t{1000} * seconds;
  }
}

void ConntrackTable::erase(ConntrackEntryPtr entry) {
  if (entry->dying) return;
  entry->dying = true;
  if (!entry->confirmed()) return;
  table_.erase(entry->original);
  table_.erase(entry->reply);
}

void ConntrackTable::flush() {
  for (auto& [tuple, found] : table_) found.entry->dying = true;
  table_.clear();
}

void ConntrackTable::advance(std::uint64_t milliseconds) {
  now_ += milliseconds;
  std::erase_if(table_, [this](const auto& item) {
    if (item.second.entry->deadline > now_) return false;
    item.second.entry->dying = true;
    return true;
  });
}

std::vector<ConntrackEntryPtr> ConntrackTable::entries() const {
  std::vector<ConntrackEntryPtr> list;
  for (const auto& [tuple, found] : table_) {
    if (found.direction == CtDirection::kOriginal) list.push_back(found.entry);
  }
  std::sort(list.begin(), list.end(),
            [](const auto& a, const auto& b) { return a->serial < b->serial; });
  return list;
}

std::vector<EntryReport> ConntrackTable::report() const {
  std::vector<EntryReport> list;
  for (const auto& entry : entries()) list.push_back(entry->report());
  return list;
}

EntryReport ConntrackEntry::report() const {
  EntryReport report;
  report.protocol = original.protocol;
  if (report.protocol == protocol::kTcp) report.state = text(tcp.state);
  if (report.protocol == protocol::kSctp) report.state = text(sctp.state);
  report.original = original.report();
  report.reply = reply.report();
  report.status = status;
  report.mark = mark;
  report.zone = original.zone;
  report.helper = helper;
  return report;
}

}  // namespace postern
