// ctnetlink messages -> entry and expectation reports, and how few of them are asked for.
// Covered by tests/kernel/harness_test.cpp.
#include "kernel/conntrack.hpp"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_compat.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "net/protocol.hpp"

namespace postern::kernel {
namespace {

constexpr std::array<std::string_view, 11> kTcpStates{
    "NONE",     "SYN_SENT",  "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT",
    "LAST_ACK", "TIME_WAIT", "CLOSE",    "SYN_SENT2",   "MAX"};
constexpr std::array<std::string_view, 9> kSctpStates{
    "NONE",          "CLOSED",        "COOKIE_WAIT",       "COOKIE_ECHOED", "ESTABLISHED",
    "SHUTDOWN_SENT", "SHUTDOWN_RECD", "SHUTDOWN_ACK_SENT", "HEARTBEAT_SENT"};

template <std::size_t N>
std::string word(const std::array<std::string_view, N>& words, std::uint8_t index) {
  return index < N ? std::string(words[index]) : std::to_string(index);
}

Message ct_message(int subsystem, int message, std::uint8_t family) {
  return Message(static_cast<std::uint16_t>(subsystem << 8 | message), 0, family);
}

Address address_of(const Attributes& ip, std::uint16_t v4, std::uint16_t v6) {
  if (ip.has(v4)) return get_address(ip.bytes(v4), 0, Family::kIpv4);
  if (ip.has(v6)) return get_address(ip.bytes(v6), 0, Family::kIpv6);
  return {};
}

TupleReport tuple_of(const nlattr* nest) {
  const Attributes tuple(nest);
  const Attributes ip(tuple[CTA_TUPLE_IP]), proto(tuple[CTA_TUPLE_PROTO]);
  TupleReport report;
  report.source = address_of(ip, CTA_IP_V4_SRC, CTA_IP_V6_SRC);
  report.destination = address_of(ip, CTA_IP_V4_DST, CTA_IP_V6_DST);
  if (proto.has(CTA_PROTO_SRC_PORT)) report.source_port = proto.be16(CTA_PROTO_SRC_PORT);
  if (proto.has(CTA_PROTO_DST_PORT)) report.destination_port = proto.be16(CTA_PROTO_DST_PORT);
  for (const auto& [id, type, code] :
       {std::array<std::uint16_t, 3>{CTA_PROTO_ICMP_ID, CTA_PROTO_ICMP_TYPE, CTA_PROTO_ICMP_CODE},
        std::array<std::uint16_t, 3>{CTA_PROTO_ICMPV6_ID, CTA_PROTO_ICMPV6_TYPE,
                                     CTA_PROTO_ICMPV6_CODE}}) {
    if (!proto.has(id)) continue;
    report.icmp_id = proto.be16(id);
    report.icmp_type = proto.u8(type);
    report.icmp_code = proto.u8(code);
  }
  return report;
}

std::uint8_t protocol_of(const nlattr* nest) {
  const Attributes tuple(nest);
  return Attributes(tuple[CTA_TUPLE_PROTO]).u8(CTA_PROTO_NUM);
}

void read_protocol_state(const Attributes& entry, EntryReport& report) {
  const Attributes info(entry[CTA_PROTOINFO]);
  if (info.has(CTA_PROTOINFO_TCP)) {
    const Attributes tcp(info[CTA_PROTOINFO_TCP]);
    report.state = word(kTcpStates, tcp.u8(CTA_PROTOINFO_TCP_STATE));
    const auto original = tcp.bytes(CTA_PROTOINFO_TCP_FLAGS_ORIGINAL);
    const auto reply = tcp.bytes(CTA_PROTOINFO_TCP_FLAGS_REPLY);
    if (!original.empty() && !reply.empty()) report.tcp_flags = {original[0], reply[0]};
  } else if (info.has(CTA_PROTOINFO_SCTP)) {
    report.state =
        word(kSctpStates, Attributes(info[CTA_PROTOINFO_SCTP]).u8(CTA_PROTOINFO_SCTP_STATE));
  }
}

EntryReport entry_of(const nlmsghdr& message) {
  const Attributes entry(message);
  EntryReport report;
  report.protocol = protocol_of(entry[CTA_TUPLE_ORIG]);
  report.original = tuple_of(entry[CTA_TUPLE_ORIG]);
  report.reply = tuple_of(entry[CTA_TUPLE_REPLY]);
  report.status = static_cast<std::uint16_t>(entry.be32(CTA_STATUS));
  report.mark = entry.be32(CTA_MARK);
  report.zone = entry.be16(CTA_ZONE);
  if (!entry.has(CTA_ZONE)) {  // a zone of one direction stands in that tuple
    for (const std::uint16_t side : {CTA_TUPLE_ORIG, CTA_TUPLE_REPLY}) {
      const Attributes tuple(entry[side]);
      if (tuple.has(CTA_TUPLE_ZONE)) report.zone = tuple.be16(CTA_TUPLE_ZONE);
    }
  }
  if (entry.has(CTA_HELP)) report.helper = Attributes(entry[CTA_HELP]).text(CTA_HELP_NAME);
  if (entry.has(CTA_TUPLE_MASTER)) report.master = tuple_of(entry[CTA_TUPLE_MASTER]);
  read_protocol_state(entry, report);
  return report;
}

ExpectationReport expectation_of(const nlmsghdr& message) {
  const Attributes expectation(message);
  ExpectationReport report;
  report.protocol = protocol_of(expectation[CTA_EXPECT_TUPLE]);
  report.tuple = tuple_of(expectation[CTA_EXPECT_TUPLE]);
  report.mask = tuple_of(expectation[CTA_EXPECT_MASK]);
  report.master = tuple_of(expectation[CTA_EXPECT_MASTER]);
  report.helper = expectation.text(CTA_EXPECT_HELP_NAME);
  report.zone = expectation.be16(CTA_EXPECT_ZONE);
  return report;
}

bool is_entry(const nlmsghdr& message) {
  return message.nlmsg_type == (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW);
}

}  // namespace

Outcome<ConntrackView> ConntrackView::open() {
  auto events = Channel::open(NF_NETLINK_CONNTRACK_NEW);
  if (!events) return tl::unexpected(events.error());
  auto control = Channel::open();
  if (!control) return tl::unexpected(control.error());
  return ConntrackView(std::move(*events), std::move(*control));
}

ConntrackView::Key ConntrackView::key_of(const nlmsghdr& message) {
  const Attributes entry(message);
  const auto* head = static_cast<const nfgenmsg*>(mnl_nlmsg_get_payload(&message));
  const auto tuple = entry.bytes(CTA_TUPLE_ORIG), zone = entry.bytes(CTA_ZONE);
  return {head->nfgen_family, {tuple.begin(), tuple.end()}, {zone.begin(), zone.end()}};
}

void ConntrackView::learn(const nlmsghdr& message) {
  if (!is_entry(message)) return;
  Key key = key_of(message);
  if (std::find(known_.begin(), known_.end(), key) == known_.end())
    known_.push_back(std::move(key));
}

Outcome<std::uint32_t> ConntrackView::fetch(std::vector<EntryReport>& to) {
  std::vector<Message> requests;
  for (const Key& key : known_) {
    requests.push_back(ct_message(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET, key.family));
    requests.back().bytes(CTA_TUPLE_ORIG | NLA_F_NESTED, key.tuple);
    if (!key.zone.empty()) requests.back().bytes(CTA_ZONE, key.zone);
  }
  requests.push_back(ct_message(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET_STATS, AF_UNSPEC));
  std::vector<Key> alive;
  std::size_t index = 0;
  std::uint32_t count = 0;
  const auto done = control_.batch(requests, [&](const nlmsghdr& message) {
    const std::size_t current = index++;
    if (message.nlmsg_type == NLMSG_ERROR) return;
    // Where flows of one-way zones share a tuple, another one may come: then a dump is made.
    if (current < known_.size() && key_of(message) != known_[current]) return;
    if (current == known_.size()) {
      count = Attributes(message).be32(CTA_STATS_GLOBAL_ENTRIES);
      return;
    }
    to.push_back(entry_of(message));
    alive.push_back(known_[current]);
  });
  if (!done) return tl::unexpected(done.error());
  known_ = std::move(alive);
  return count;
}

Outcome<std::vector<EntryReport>> ConntrackView::entries() {
  events_.drain([&](const nlmsghdr& message) { learn(message); });
  std::vector<EntryReport> entries;
  const auto count = fetch(entries);
  if (!count) return tl::unexpected(count.error());
  if (*count == entries.size()) return entries;
  Message request = ct_message(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET, AF_UNSPEC);
  entries.clear();
  known_.clear();
  const auto dumped = control_.dump(request, [&](const nlmsghdr& message) {
    if (!is_entry(message)) return;
    known_.push_back(key_of(message));
    entries.push_back(entry_of(message));
  });
  if (!dumped) return tl::unexpected(dumped.error());
  return entries;
}

Outcome<std::vector<ExpectationReport>> ConntrackView::expectations() {
  std::vector<ExpectationReport> list;
  Message request = ct_message(NFNL_SUBSYS_CTNETLINK_EXP, IPCTNL_MSG_EXP_GET, AF_UNSPEC);
  const auto dumped = control_.dump(
      request, [&](const nlmsghdr& message) { list.push_back(expectation_of(message)); });
  if (!dumped) return tl::unexpected(dumped.error());
  return list;
}

Outcome<void> ConntrackView::flush() {
  Message request = ct_message(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE, AF_UNSPEC);
  events_.drain([](const nlmsghdr&) {});
  known_.clear();
  return control_.request(request);
}

Outcome<void> ConntrackView::flush_expectations() {
  Message request = ct_message(NFNL_SUBSYS_CTNETLINK_EXP, IPCTNL_MSG_EXP_DELETE, AF_UNSPEC);
  return control_.request(request);
}

}  // namespace postern::kernel
