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

// `--zone mark` takes the mark's lower half.
ConntrackZone zone_of(const AttachTemplate& request, std::uint32_t mark) {
  const auto id = request.zone_from_mark ? static_cast<std::uint16_t>(mark) : request.zone;
  using Direction = AttachTemplate::Direction;
  const Direction direction = request.zone_direction;
  return {direction == Direction::kReply ? std::uint16_t{0} : id,
          direction == Direction::kOriginal ? std::uint16_t{0} : id};
}

bool icmp_of_family(const PacketView& packet) {
  return packet.protocol == (packet.family == Family::kIpv4 ? protocol::kIcmp : protocol::kIcmpv6);
}

}  // namespace

ConntrackTable::Owners ConntrackTable::owners(const CtTuple& tuple, ConntrackZone zone) const {
  const auto at = table_.find(tuple);
  if (at == table_.end()) return {};
  Owners met = at->second;
  if (zone.original != tuple.zone) met.original = nullptr;
  if (zone.reply != tuple.zone) met.reply = nullptr;
  return met;
}

ConntrackTable::Found ConntrackTable::find(CtTuple tuple, ConntrackZone zone) const {
  tuple.zone = zone.original;
  Owners met = owners(tuple, zone);
  if (zone.one_way() && !met.original && !met.reply) {
    tuple.zone = zone.reply;
    met = owners(tuple, zone);
  }
  // Linux finds the entry first that it has hashed last, and of one entry the reply.
  const bool original = met.original && (!met.reply || met.original->serial > met.reply->serial);
  if (original) return {met.original, CtDirection::kOriginal};
  return {met.reply, CtDirection::kReply};
}

ConntrackEntryPtr ConntrackTable::make_entry(CtTuple tuple, ConntrackZone zone,
                                             const AttachTemplate* request) {
  tuple.zone = zone.original;
  const auto reply = tuple.inverse();
  if (!reply) return nullptr;
  auto entry = std::make_shared<ConntrackEntry>();
  entry->original = tuple;
  entry->reply = *reply;
  entry->reply.zone = zone.reply;
  entry->created = now_;
  if (const auto expected = expectations_.take(tuple, zone.id(), now_)) {
    entry->status |= ct_status::kExpected;
    entry->master = expected->master.lock();
    entry->mark = entry->master->mark;
    entry->follow = expected->follow;
  } else if (request != nullptr && !request->helper.empty()) {
    entry->status |= ct_status::kHelper;
    entry->helper = request->helper;
  }
  return entry;
}

void ConntrackTable::track(const PacketView& packet, Hook hook, Attachment& attachment,
                           const AttachTemplate* request) {
  if (attachment.entry || attachment.untracked()) return;
  attachment = {};
  if (packet.fragment_offset != 0) return;
  const ConntrackZone zone = request != nullptr ? zone_of(*request, packet.mark) : ConntrackZone{};
  if (icmp_of_family(packet) && track_icmp_error(packet, hook, attachment, zone)) return;
  const auto tuple = tuple_of(packet);
  if (!tuple) return;
  const TrackContext context{config_, now_, hook};
  // At most twice: after a SYN has ended an entry there is none.
  for (;;) {
    Found found = find(*tuple, zone);
    if (!found.entry) found = {make_entry(*tuple, zone, request), CtDirection::kOriginal};
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
  const auto other = [&](const ConntrackEntryPtr& entry) {
    return entry && entry.get() != &by && entry->original != by.original;
  };
  const Owners met = owners(reply, by.zone());
  return other(met.original) || other(met.reply);
}

bool ConntrackTable::met_only_itself(const CtTuple& tuple, const ConntrackEntry& by) const {
  constexpr std::uint16_t kUsesNat =
      ct_status::kSourceNat | ct_status::kDestinationNat | ct_status::kSequenceAdjust;
  const Tracker tracker = tracker_of(tuple.protocol);
  if (tracker != Tracker::kUdp && tracker != Tracker::kUdplite) return false;
  if ((by.status & kUsesNat) != 0) return false;
  Found found = find(tuple, by.zone());
  if (!found.entry) found = find(*tuple.inverse(), by.zone());
  if (!found.entry || (found.entry->status & kUsesNat) != 0) return false;
  const auto same = [](CtTuple one, const CtTuple& other) {
    one.zone = other.zone;
    return one == other;
  };
  return same(found.entry->original, by.reply) && same(found.entry->reply, by.original);
}

// nf_nat_used_tuple_harder: an SNATed flow that is over (TIME_WAIT, CLOSE) gives way to a SYN
// beyond its sequence numbers.
bool ConntrackTable::taken_even_if_scarce(const CtTuple& reply, const ConntrackEntry& by,
                                          unsigned left) {
  constexpr unsigned kScarce = 32;
  if (left > kScarce || reply.protocol != protocol::kTcp || by.tcp.state != TcpState::kSynSent) {
    return taken(reply, by);
  }
  const Found found = find(reply, by.zone());
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

bool ConntrackTable::clashes(const CtTuple& tuple, ConntrackZone zone) const {
  const Owners met = owners(tuple, zone);
  return met.original || met.reply;
}

bool ConntrackTable::confirm(Attachment& attachment) {
  if (!attachment.entry || attachment.entry->confirmed()) return true;
  // The host's own answer carries the entry of the packet that it answers: that one may confirm it.
  if (attachment.direction == CtDirection::kReply) return true;
  ConntrackEntry& entry = *attachment.entry;
  if (entry.dying) return false;
  if (clashes(entry.original, entry.zone()) || clashes(entry.reply, entry.zone())) return false;
  entry.status |= ct_status::kConfirmed;
  entry.serial = next_serial_++;
  ++count_;
  table_[entry.original].original = attachment.entry;
  table_[entry.reply].reply = attachment.entry;
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
  --count_;
  for (const CtTuple& tuple : {entry->original, entry->reply}) {
    const auto at = table_.find(tuple);
    if (at == table_.end()) continue;
    Owners& owners = at->second;
    if (owners.original == entry) owners.original = nullptr;
    if (owners.reply == entry) owners.reply = nullptr;
    if (!owners.original && !owners.reply) table_.erase(at);
  }
}

void ConntrackTable::flush() {
  for (const auto& entry : entries()) entry->dying = true;
  table_.clear();
  count_ = 0;
}

void ConntrackTable::advance(std::uint64_t milliseconds) {
  now_ += milliseconds;
  for (const auto& entry : entries()) {
    if (entry->deadline <= now_) erase(entry);
  }
}

std::vector<ConntrackEntryPtr> ConntrackTable::entries() const {
  std::vector<ConntrackEntryPtr> list;
  for (const auto& [tuple, owners] : table_) {
    if (owners.original) list.push_back(owners.original);
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
  report.zone = zone().id();
  report.helper = helper;
  if (master) report.master = master->original.report();
  return report;
}

}  // namespace postern
