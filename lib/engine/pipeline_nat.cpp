// NAT on a packet's way (nf_nat_inet_fn, nf_nat_ipv4_local_fn): the chains are walked for the first
// packet of a flow, once for each half of its tuple; every packet of a translated flow is then
// rewritten, the destination half at PREROUTING and OUTPUT, the source half at INPUT and
// POSTROUTING. A flow that no rule took gets a null binding, which resolves clashes all the same.
// ICMP errors never walk: they are translated with the flow that they quote.
#include <algorithm>

#include "engine/answer.hpp"
#include "engine/nat_headers.hpp"
#include "engine/pipeline.hpp"
#include "flow/odd_headers.hpp"

namespace postern {
namespace {

constexpr std::uint8_t kIcmpRedirect = 5;
constexpr std::uint16_t kBothDone = ct_status::kSourceNatDone | ct_status::kDestinationNatDone;
constexpr std::uint16_t kBothChanged = ct_status::kSourceNat | ct_status::kDestinationNat;

bool is_icmp(const PacketView& view) {
  return view.protocol == (view.family == Family::kIpv4 ? protocol::kIcmp : protocol::kIcmpv6);
}

// Does a packet of this direction get that half rewritten? An answer's source is what the flow's
// destination was.
bool rewrites(const Attachment& attachment, Manip manip) {
  const Manip half = attachment.direction == CtDirection::kReply ? other(manip) : manip;
  return (attachment.entry->status & changed_bit(half)) != 0;
}

const CtTuple& tuple_of(const ConntrackEntry& entry, CtDirection direction) {
  return direction == CtDirection::kOriginal ? entry.original : entry.reply;
}

// Of a protocol whose checksum NAT leaves alone: what one translation breaks, the next may mend.
bool sum_still_holds(Traveller& traveller, const Packet& before, const Packet& after) {
  if (!traveller.untranslated) {
    traveller.untranslated.emplace();
    if (!before.bad_checksum) traveller.untranslated->sum = address_sum(before);
  }
  return traveller.untranslated->sum == address_sum(after);
}

}  // namespace

bool Pipeline::pass_nat(const Stage& stage, Hook hook, Traveller& packet) {
  const Attachment& attachment = packet.attachment;
  if (!has_nat_[index(packet.view.family)] || !attachment.entry) return true;
  const CtState state = attachment.state;
  if (state == CtState::kRelated && is_icmp(packet.view)) {
    if (!translate_error(hook, packet)) return false;
  } else {
    const bool settled = (attachment.entry->status & done_bit(manip_of(hook))) != 0;
    const bool first = state == CtState::kNew || state == CtState::kRelated;
    if (first && !settled && !bind(stage, hook, packet)) return false;
    if (!translate(hook, packet)) return false;
  }
  const CtDirection direction = attachment.direction;
  const bool moved = tuple_of(*attachment.entry, direction).destination !=
                     tuple_of(*attachment.entry, opposite(direction)).source;
  return hook != Hook::kOutput || !moved || route_again(packet);
}

// Settles this half of a new flow by the first rule that takes it.
bool Pipeline::bind(const Stage& stage, Hook hook, Traveller& packet) {
  const ConntrackEntryPtr entry = packet.attachment.entry;
  const Manip manip = manip_of(hook);
  const Walker* walker = walkers_[index(packet.view.family)].get();
  WalkVerdict verdict;
  if (!walk(stage.table, hook, packet, &verdict)) return false;
  std::optional<NatRange> range = null_range(*entry, manip);
  std::string place = "nat";
  if (verdict.nat != nullptr) {
    range = nat_range(*verdict.nat, hook, packet, world_);
    place = walker->place(verdict.rule);
    if (!range) return false;
    if (verdict.nat->kind == Nat::Kind::kMasquerade) entry->masquerade_device = packet.out;
  }
  nat_.bind(entry, manip, *range, place);
  read_attachment(packet);
  return true;
}

bool Pipeline::translate(Hook hook, Traveller& packet) {
  const Attachment& attachment = packet.attachment;
  const std::uint16_t device = attachment.entry->masquerade_device;
  if (hook == Hook::kPostrouting && attachment.direction == CtDirection::kOriginal && device != 0 &&
      device != packet.out) {
    conntrack_.erase(attachment.entry);  // its address would be another device's
    return false;
  }
  const Manip manip = manip_of(hook);
  if (!rewrites(attachment, manip)) return true;
  if (!translatable(packet.view, manip)) return false;
  const auto target = tuple_of(*attachment.entry, opposite(attachment.direction)).inverse();
  const Packet before = current(packet.view);
  Packet after = translated(before, manip, *target);
  if (after.protocol == protocol::kDccp)
    after.bad_checksum = !sum_still_holds(packet, before, after);
  replace(packet, std::move(after));
  return true;
}

bool Pipeline::translate_error(Hook hook, Traveller& packet) {
  const Attachment& attachment = packet.attachment;
  const std::uint16_t status = attachment.entry->status;
  if (packet.view.bad_checksum) return false;
  const bool redirect = packet.view.icmp_type ==
                        (packet.view.family == Family::kIpv4 ? kIcmpRedirect : kIcmpv6Redirect);
  if (redirect && ((status & kBothDone) != kBothDone || (status & kBothChanged) != 0)) return false;
  const Manip manip = manip_of(hook);
  if (!rewrites(attachment, manip)) return true;
  if (packet.view.inner == nullptr || packet.view.packet->raw || packet.view.packet->raw_l4) {
    throw Unmodelled("NAT of an ICMP error that is given as bytes");
  }
  const CtTuple& quoted = tuple_of(*attachment.entry, opposite(attachment.direction));
  auto made = translated_error(current(packet.view), manip, quoted);
  if (!made) return false;
  replace(packet, std::move(*made));
  return true;
}

// The traveller goes on with these headers.
void Pipeline::replace(Traveller& packet, Packet made) {
  made_.push_back(std::move(made));
  packet.view = view_of(made_.back());
  describe(packet);
}

}  // namespace postern
