#include "engine/pipeline.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "engine/answer.hpp"
#include "flow/defragmentation.hpp"

namespace postern {
namespace {

// The length that the header says of what is given with more bytes; 0 of others, and jumbograms.
std::size_t said_length(const Packet& packet) {
  if (!packet.raw || packet.raw->size() < 40) return 0;
  const auto at = [&](std::size_t i) { return static_cast<std::size_t>((*packet.raw)[i]); };
  const bool v4 = packet.family() == Family::kIpv4;
  const std::size_t said = v4 ? at(2) << 8 | at(3) : 40 + (at(4) << 8 | at(5));
  const bool jumbo = !v4 && said == 40 && at(6) == 0;
  return jumbo || said < (v4 ? 20u : 40u) || said >= packet.raw->size() ? 0 : said;
}

bool has_table(const Program* program, TableName table) {
  return program != nullptr && program->ruleset().find(table) != nullptr;
}

}  // namespace

Pipeline::Pipeline(const Scenario& scenario, const Program* v4, const Program* v6, Chooser& chooser)
    : world_(scenario), backend_(scenario.backend), nat_(conntrack_, chooser), chooser_(chooser) {
  const Program* programs[] = {v4, v6};
  for (std::size_t i = 0; i < 2; ++i) {
    if (programs[i] != nullptr) {
      POSTERN_CHECK(programs[i]->ruleset().backend == backend_,
                    "a ruleset is read for the backend that runs it");
      walkers_[i] = std::make_unique<Walker>(*programs[i], world_, backend_);
    }
    tracks_[i] =
        scenario.tracking == TrackingMode::kOn || (scenario.tracking == TrackingMode::kAuto &&
                                                   programs[i] != nullptr && programs[i]->tracks());
    defragments_[i] =
        tracks_[i] || (programs[i] != nullptr && puts_fragments_together(*programs[i]));
    has_nat_[i] = has_table(programs[i], TableName::kNat);
  }
  for (const auto& [key, value] : scenario.sysctl) conntrack_.set_sysctl(key, value);
}

void Pipeline::wait(std::uint32_t milliseconds) { conntrack_.advance(milliseconds); }

void Pipeline::set_sysctl(const std::string& key, const std::string& value) {
  world_.set_sysctl(key, value);
  conntrack_.set_sysctl(key, value);
}

Traveller Pipeline::start(const Packet& packet) const {
  Traveller made;
  made.view = view_of(packet);
  describe(made);
  read_attachment(made);
  return made;
}

// Fills in what rules read of the headers; again after the headers changed.
void Pipeline::describe(Traveller& packet) const {
  read_headers(packet);
  read_protocol(packet, backend_);
  read_layer4_bytes(packet);
  const Walker* walker = walkers_[index(packet.view.family)].get();
  if (walker == nullptr) return;
  if (walker->reads(Field::kSourceType)) {
    packet.reading[Field::kSourceType] =
        static_cast<unsigned>(world_.address_type(packet.view.source_address()));
  }
  if (walker->reads(Field::kDestinationType)) {
    packet.reading[Field::kDestinationType] =
        static_cast<unsigned>(world_.address_type(packet.view.destination_address()));
  }
}

Verdict Pipeline::inject(const Packet& packet, PacketReport* report) {
  report_ = report;
  reply_ = nullptr;
  made_.clear();
  died_at_ = {};
  const auto go = [&](const Packet& one) {
    Traveller traveller = start(one);
    return one.local() ? send(traveller) : arrive(traveller);
  };
  Verdict verdict = Verdict::kDropped;
  if (packet.fragment_size != 0 && !defragments_[index(packet.family())]) {
    for (Packet& piece : cut(packet)) {  // each alone; what became of one of them counts
      made_.push_back(std::move(piece));
      const Verdict one = go(made_.back());
      if (one != Verdict::kDropped) verdict = one;
    }
  } else {
    verdict = go(packet);
  }
  if (report != nullptr) {
    report->name = packet.name;
    report->verdict = verdict;
    if (verdict == Verdict::kDropped) report->died_at = died_at_;
  }
  return verdict;
}

Verdict Pipeline::die(std::string_view where) {
  died_at_ = where;
  return Verdict::kDropped;
}

Verdict Pipeline::arrive(Traveller& packet) {
  const auto in = world_.device(packet.view.packet->in);
  POSTERN_CHECK(in.has_value(), "a packet arrives on a device that does not exist");
  packet.in = *in;
  packet.out = kNoDevice;
  return arrive_at(packet);
}

// From PREROUTING on, for wire and loopback alike.
Verdict Pipeline::arrive_at(Traveller& packet) {
  packet.reading.in = packet.in;
  packet.reading.out = kNoDevice;
  const bool looped = packet.in == world_.loopback();
  if (!world_.takes(packet.view, packet.in)) {
    return die(looped ? "after POSTROUTING" : "before PREROUTING");
  }
  trim(packet);
  const Address destination = packet.view.destination_address();
  if (!pass(Hook::kPrerouting, packet)) return die(text(Hook::kPrerouting));
  InputRoute route;
  // Over lo the way was chosen in OUTPUT, unless DNAT has changed the destination just now.
  if (looped && packet.view.destination_address() == destination) {
    if (!world_.hears(destination)) {
      note_event(packet, Hook::kPrerouting, "routing: multicast group is not joined");
      return die("after PREROUTING");
    }
    route.kind = InputRoute::Kind::kLocal;
    route.unicast = packet.unicast;
  } else {
    route =
        world_.route_input(packet.view, packet.in, looped ? world_.owner(destination) : kNoDevice);
  }
  packet.unicast = route.unicast;
  switch (route.kind) {
    case InputRoute::Kind::kLocal:
      return deliver(packet);
    case InputRoute::Kind::kForward:
      return forward(packet, route);
    default:
      break;
  }
  note_event(packet, Hook::kPrerouting, "routing: " + std::string(route.why));
  const bool v4 = packet.view.family == Family::kIpv4;
  if (route.error && (!v4 || error_is_allowed(packet.view.source_address()))) {
    answer_error(*route.error, packet);
  }
  return die("after PREROUTING");
}

// A packet ends where its header says (ip_rcv_core, ip6_rcv_core).
void Pipeline::trim(Traveller& packet) {
  const std::size_t end = said_length(*packet.view.packet);
  if (end == 0 || packet.in == world_.loopback()) return;
  Packet made = current(packet.view);
  made.raw->resize(end);
  replace(packet, readable(made));
}

// ip_error gives each source a small allowance of errors.
bool Pipeline::error_is_allowed(const Address& to) {
  const auto cost = static_cast<std::uint64_t>(world_.sysctl("net/ipv4/route/error_cost", 1000));
  const auto burst = static_cast<std::uint64_t>(world_.sysctl("net/ipv4/route/error_burst", 5000));
  const auto [it, fresh] = allowances_.try_emplace(to);
  Allowance& allowance = it->second;
  const std::uint64_t now = conntrack_.now();
  allowance.tokens = fresh ? burst : std::min(burst, allowance.tokens + now - allowance.since);
  allowance.since = now;
  if (allowance.tokens < cost) return false;
  allowance.tokens -= cost;
  return true;
}

Verdict Pipeline::deliver(Traveller& packet) {
  // IPv4 puts fragments together before INPUT when tracking has not done it already.
  if (packet.view.family == Family::kIpv4 && !defragment(packet, false)) {
    return die("after PREROUTING");
  }
  if (!pass(Hook::kInput, packet)) return die(text(Hook::kInput));
  if (report_ != nullptr && reply_ == nullptr) {
    Packet arrived = current(packet.view);
    arrived.in = world_.names()[packet.in];
    report_->delivered.push_back(std::move(arrived));
  }
  return Verdict::kDelivered;
}

Verdict Pipeline::forward(Traveller& packet, const InputRoute& route) {
  PacketView& view = packet.view;
  const bool v4 = view.family == Family::kIpv4;
  if (packet.has_socket) return die("after PREROUTING");
  if (view.ttl <= 1) {
    answer_error(v4 ? IcmpError{11, 0} : IcmpError{3, 0}, packet);
    return die("after PREROUTING");
  }
  const std::uint32_t mtu = world_.mtu(route.out);
  const bool in_pieces = view.packet->fragment_size != 0;
  if (view.length > mtu && !in_pieces) {
    if (v4 && !view.packet->dont_fragment) throw Unmodelled("fragmentation of a forwarded packet");
    answer_error(v4 ? IcmpError{3, 4} : IcmpError{2, 0}, packet, mtu);
    return die("after PREROUTING");
  }
  --view.ttl;
  packet.reading[Field::kTtl] = view.ttl;
  packet.out = packet.reading.out = route.out;
  if (!pass(Hook::kForward, packet)) return die(text(Hook::kForward));
  if (!pass(Hook::kPostrouting, packet)) return die(text(Hook::kPostrouting));
  return leave(packet, view.packet->local() ? Verdict::kSent : Verdict::kForwarded);
}

Verdict Pipeline::send(Traveller& packet) {
  // OUTPUT counts them, and conntrack knows no checksum yet. (IPv4 writes the length anew.)
  const bool v4 = packet.view.family == Family::kIpv4;
  if (!v4 && said_length(*packet.view.packet) != 0) {
    throw Unmodelled("bytes behind the end of what a raw socket sends");
  }
  const std::string& bound = packet.view.packet->out_interface;
  const OutputRoute route =
      world_.route_output(packet.view.destination_address(),
                          bound.empty() ? kNoDevice : world_.device(bound).value_or(kNoDevice));
  if (!route.found) return die("before OUTPUT");
  // (Over lo nothing is copied: it is the packet itself that comes back.)
  if (route.copied_here && route.out != world_.loopback() && !packet.is_answer) {
    throw Unmodelled("a broadcast or multicast that comes back to its sender");
  }
  if (!packet.is_answer) give_source(packet, route);
  packet.unicast = route.unicast;
  packet.in = packet.reading.in = kNoDevice;
  packet.out = packet.reading.out = route.out;
  packet.rerouted = route.out;
  if (!pass(Hook::kOutput, packet)) return die(text(Hook::kOutput));
  packet.out = packet.reading.out = packet.rerouted;
  if (!pass(Hook::kPostrouting, packet)) return die(text(Hook::kPostrouting));
  if (reply_ != nullptr) reply_->out = world_.names()[packet.out];
  if (packet.out != world_.loopback()) return leave(packet, Verdict::kSent);
  if (stays_cut_over_lo(packet)) throw Unmodelled("fragments over lo that rules see each alone");
  packet.in = packet.out;
  packet.out = kNoDevice;
  packet.has_template = false;
  return arrive_at(packet);
}

namespace {

bool has_pseudo_header(std::uint8_t number) {
  return number == protocol::kTcp || number == protocol::kUdp || number == protocol::kUdplite ||
         number == protocol::kDccp;
}

}  // namespace

// A raw socket leaves 0.0.0.0 to the kernel, which has another address for it, or none
// (raw_send_hdrinc). It leaves the checksum as it is, into which the addresses have gone.
void Pipeline::give_source(Traveller& packet, const OutputRoute& route) {
  const PacketView& view = packet.view;
  if (view.family != Family::kIpv4 || view.source != 0 || !route.source) return;
  if (view.packet->raw) return;
  Packet made = current(view);
  made.source = *route.source;
  made.bad_checksum = made.bad_checksum || has_pseudo_header(made.protocol);
  replace(packet, std::move(made));
}

// The pieces of what OUTPUT has put together, or of what is too long for lo, keep what conntrack
// says of the whole, and are then not put together before raw: IPv6's, and UNTRACKED ones of IPv4.
bool Pipeline::stays_cut_over_lo(const Traveller& packet) const {
  const PacketView& view = packet.view;
  const bool v4 = view.family == Family::kIpv4, untracked = packet.attachment.untracked();
  const bool in_pieces = view.packet->fragment_size != 0;
  if (v4) return in_pieces && untracked;
  if (!in_pieces && view.length <= world_.mtu(world_.loopback())) return false;
  return untracked || packet.attachment.entry || !defragments_[index(view.family)];
}

Verdict Pipeline::leave(Traveller& packet, Verdict verdict) {
  if (report_ == nullptr || reply_ != nullptr) return verdict;
  Packet leaving = current(packet.view);
  leaving.in.clear();
  for (Packet& piece : cut(leaving)) {
    report_->out.emplace_back(std::move(piece), world_.names()[packet.out]);
  }
  return verdict;
}

bool Pipeline::defragment(Traveller& packet, bool before_raw) {
  if (!is_fragment(*packet.view.packet)) return true;
  if (before_raw && !defragments_[index(packet.view.family)]) return true;
  auto whole = reassembler_.add(current(packet.view));
  if (!whole) return false;
  made_.push_back(std::move(*whole));
  packet.view = view_of(made_.back());
  describe(packet);
  return true;
}

bool Pipeline::pass(Hook hook, Traveller& packet) {
  note_point(packet, hook, "first");
  if (hook != Hook::kPrerouting && hook != Hook::kOutput) note_state(packet, hook);
  for (const Stage& stage : stages(hook, backend_)) {
    if (!pass_stage(stage, hook, packet)) return false;
  }
  note_point(packet, hook, "last");
  return true;
}

bool Pipeline::pass_stage(const Stage& stage, Hook hook, Traveller& packet) {
  const bool tracking = tracks(packet.view.family);
  switch (stage.kind) {
    case Stage::Kind::kDefragment:
      return defragment(packet, true);
    case Stage::Kind::kTable: {
      const std::uint32_t mark = packet.view.mark, tos = packet.view.tos, ttl = packet.view.ttl;
      if (!walk(stage.table, hook, packet)) return false;
      const bool changed = packet.view.mark != mark || packet.view.tos != tos ||
                           (packet.view.family == Family::kIpv6 && packet.view.ttl != ttl);
      const bool again = changed && hook == Hook::kOutput && stage.table == TableName::kMangle;
      return !again || route_again(packet);
    }
    case Stage::Kind::kNat:
      return pass_nat(stage, hook, packet);
    case Stage::Kind::kConntrack:
      if (tracking) track(hook, packet);
      note_point(packet, hook, "ct");
      return true;
    case Stage::Kind::kConfirm:
      if (!tracking) return true;
      if (!help(packet) || !conntrack_.confirm(packet.attachment)) return false;
      read_attachment(packet);  // over lo the same packet comes to rules once more
      return true;
  }
  return true;
}

// A packet whose mark, TOS, destination or (IPv6) hop limit changed in OUTPUT is routed again, now
// by its own source address: 127.0.0.0/8 may not leave by a wire (ip_route_me_harder). An IPv6
// packet to a link-local address or a group keeps its device, or dies (ip6_route_me_harder).
bool Pipeline::route_again(Traveller& packet) {
  const Address destination = packet.view.destination_address();
  const std::string& bound = packet.view.packet->out_interface;
  DeviceId only = bound.empty() ? kNoDevice : world_.device(bound).value_or(kNoDevice);
  if (only == kNoDevice && World::means_one_link(destination)) only = packet.rerouted;
  const OutputRoute route = world_.route_output(destination, only, true);
  if (!route.found) return false;
  if (route.copied_here && route.out != world_.loopback() && !packet.is_answer) {
    throw Unmodelled("a broadcast or multicast that comes back to its sender");
  }
  packet.unicast = route.unicast;
  packet.rerouted = route.out;
  return may_leave_by(packet.view, route.out);
}

bool Pipeline::may_leave_by(const PacketView& view, DeviceId out) const {
  return view.family != Family::kIpv4 || out == world_.loopback() || (view.source >> 24) != 127;
}

void Pipeline::track(Hook hook, Traveller& packet) {
  conntrack_.track(packet.view, hook, packet.attachment, packet.request);
  packet.has_template = false;
  if (packet.view.protocol == protocol::kTcp) packet.has_bare_state = false;
  packet.request = nullptr;
  packet.template_mark = nullptr;
  const ConntrackEntryPtr& entry = packet.attachment.entry;
  if (entry && entry->follow) nat_.follow_master(entry);
  read_attachment(packet);
  note_state(packet, hook);
  if (trace_ == nullptr) return;
  std::string event = "conntrack: " + std::string(text(packet.attachment.state));
  if (packet.attachment.entry) {
    event += packet.attachment.direction == CtDirection::kReply ? " (reply)" : " (original)";
  }
  note_event(packet, hook, std::move(event));
}

bool Pipeline::walk(TableName table, Hook hook, Traveller& packet, WalkVerdict* verdict) {
  Walker* walker = walkers_[index(packet.view.family)].get();
  if (walker == nullptr) return true;
  const WalkVerdict found = walker->walk(hook, table, packet, chooser_, trace_);
  if (found.reject != nullptr) reject(*found.reject, packet);
  if (verdict != nullptr) *verdict = found;
  return found.accepted;
}

void Pipeline::reject(const Reject& how, Traveller& packet) {
  if (how.tcp_reset) {
    if (auto reset = tcp_reset(packet)) answer(std::move(*reset), packet, true);
  } else if (may_be_rejected_by_icmp(packet)) {
    answer_error({how.icmp_type, how.icmp_code}, packet);
  }
}

void Pipeline::answer_error(IcmpError error, const Traveller& about, std::uint32_t rest) {
  if (auto made = icmp_error(about, error, world_, rest)) answer(std::move(*made), about, false);
}

// Sends what the host generated in answer to `about`, attached to the same entry in the other
// direction (nf_ct_attach). An answer to an untracked packet is tracked, and NOTRACK cannot change
// that (kernel-facts 46).
void Pipeline::answer(Packet made, const Traveller& about, bool closes) {
  POSTERN_CHECK(about.depth < 4, "answers to answers without end");
  made_.push_back(std::move(made));
  Traveller packet = start(made_.back());
  packet.is_answer = true;
  packet.depth = about.depth + 1;
  packet.has_bare_state = about.attachment.untracked();
  // Answers are routed by their source as well (icmp_route_lookup, nf_send_reset).
  const OutputRoute route = world_.route_output(packet.view.destination_address(), kNoDevice);
  if (!route.found || !may_leave_by(packet.view, route.out)) return;
  if (tracks(packet.view.family)) {
    packet.attachment = conntrack_.attach_answer(about.attachment);
    read_attachment(packet);
    if (closes) conntrack_.close_by_reset(about.attachment);
  }
  ReplyReport reply;
  reply.packet = made_.back();
  ReplyReport* const outer = reply_;
  const std::string_view died_at = died_at_;
  reply_ = &reply;
  // Its place in the report is before the answers that it is answered with itself.
  const std::size_t place = report_ != nullptr ? report_->replies.size() : 0;
  if (report_ != nullptr) report_->replies.emplace_back();
  const Verdict verdict = send(packet);
  reply_ = outer;
  if (verdict == Verdict::kDelivered) reply.fate = "delivered";
  if (verdict == Verdict::kDropped) reply.fate = "dropped";
  if (report_ != nullptr) report_->replies[place] = std::move(reply);
  died_at_ = died_at;
}

void Pipeline::note_event(const Traveller& packet, Hook hook, std::string event) {
  if (trace_ == nullptr) return;
  trace_->push_back({.kind = TraceStep::Kind::kEvent,
                     .family = packet.view.family,
                     .hook = hook,
                     .failed = {},
                     .values = {},
                     .interfaces = {},
                     .own_reply = packet.is_answer,
                     .note = std::move(event)});
}

void Pipeline::note_state(const Traveller& packet, Hook hook) {
  if (report_ == nullptr || !tracks(packet.view.family)) return;
  const Attachment& attachment = packet.attachment;
  const bool reply_direction = attachment.direction == CtDirection::kReply;
  if (reply_ != nullptr) {
    if (hook != Hook::kOutput) return;
    reply_->state = attachment.state;
    if (attachment.entry) reply_->reply_direction = reply_direction;
    return;
  }
  // What counts is the first time: over lo and out again POSTROUTING is passed twice.
  report_->state.try_emplace(hook, attachment.state);
  if (attachment.entry) report_->reply_direction.try_emplace(hook, reply_direction);
}

void Pipeline::note_point(const Traveller& packet, Hook hook, std::string_view where) {
  // The headers of an answer may change on its way.
  if (reply_ != nullptr && report_ != nullptr) reply_->packet = current(packet.view);
  if (!points_ || report_ == nullptr || reply_ != nullptr) return;
  TracePoint point;
  point.at = std::string(text(hook)) + "." + std::string(where);
  if (tracks(packet.view.family)) {
    point.state = packet.attachment.state;
    if (packet.attachment.entry) {
      point.reply_direction = packet.attachment.direction == CtDirection::kReply;
    }
  }
  point.in = world_.names()[packet.in];
  point.out = world_.names()[packet.out];
  point.packet = current(packet.view);
  report_->trace.push_back(std::move(point));
}

}  // namespace postern
