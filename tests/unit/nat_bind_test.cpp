// lib/engine/nat_bind: how reply tuples come to differ, clashes included (kernel-facts 50-53).
#include "engine/nat_bind.hpp"

#include <gtest/gtest.h>

namespace postern {
namespace {

u128 ip(const char* text) { return Address::parse(text)->value; }

class NatBind : public testing::Test {
 protected:
  // A new flow of this packet, not confirmed yet.
  Attachment flow(const char* from, std::uint16_t sport, const char* to, std::uint16_t dport,
                  std::uint8_t number = protocol::kUdp) {
    Packet p;
    p.source = *Address::parse(from);
    p.destination = *Address::parse(to);
    p.protocol = number;
    p.source_port = sport;
    p.destination_port = dport;
    p.flags = tcp_flag::kSyn;
    p.seq = 1000;
    Attachment made;
    table_.track(view_of(p), Hook::kPrerouting, made);
    return made;
  }
  // The same, source NATed to this range, and confirmed if it can be.
  ConntrackEntryPtr snat(const char* from, std::uint16_t sport, const char* to,
                         const NatRange& range, bool* confirmed = nullptr) {
    Attachment made = flow(from, sport, to, 53);
    binder_.bind(made.entry, Manip::kSource, range, "nat POSTROUTING 1");
    const bool good = table_.confirm(made);
    if (confirmed != nullptr) *confirmed = good;
    return made.entry;
  }
  static NatRange onto(const char* address) {
    NatRange range;
    range.addresses = NatRange::Addresses{ip(address), ip(address)};
    return range;
  }

  ConntrackTable table_;
  ListChooser chooser_{{100, 200}};
  NatBinder binder_{table_, chooser_};
};

TEST_F(NatBind, TheReplyTupleIsTheInverseOfWhatLeaves) {
  const auto entry = snat("192.0.2.9", 5000, "198.51.100.9", onto("198.51.100.7"));
  EXPECT_EQ(entry->original.source, ip("192.0.2.9"));
  EXPECT_EQ(entry->reply.source, ip("198.51.100.9"));
  EXPECT_EQ(entry->reply.destination, ip("198.51.100.7"));
  EXPECT_EQ(entry->reply.destination_key, 5000);
  EXPECT_EQ(entry->status,
            ct_status::kConfirmed | ct_status::kSourceNat | ct_status::kSourceNatDone);
  EXPECT_EQ(table_.find(entry->reply).direction, CtDirection::kReply);
}

TEST_F(NatBind, ANullBindingChangesNothingButSettles) {
  Attachment made = flow("192.0.2.9", 5000, "198.51.100.9", 53);
  const CtTuple before = made.entry->reply;
  binder_.bind(made.entry, Manip::kDestination, null_range(*made.entry, Manip::kDestination), "");
  EXPECT_EQ(made.entry->reply, before);
  EXPECT_EQ(made.entry->status, ct_status::kDestinationNatDone);
}

TEST_F(NatBind, AClashMovesThePortWithinItsClass) {
  snat("192.0.2.9", 5000, "198.51.100.9", onto("198.51.100.7"));
  const auto second = snat("192.0.2.10", 5000, "198.51.100.9", onto("198.51.100.7"));
  EXPECT_EQ(second->reply.destination_key, 1024 + 100);
  ASSERT_EQ(chooser_.made().size(), 1U);
  EXPECT_EQ(chooser_.made()[0].rule, "nat POSTROUTING 1");
  // another destination is no clash
  const auto third = snat("192.0.2.11", 5000, "198.51.100.8", onto("198.51.100.7"));
  EXPECT_EQ(third->reply.destination_key, 5000);
}

TEST_F(NatBind, AFlowFromTheSamePlaceKeepsItsMapping) {
  NatRange range = onto("198.51.100.7");
  range.ports = NatRange::Ports{4000, 4999};
  const auto first = snat("192.0.2.9", 5000, "198.51.100.9", range);
  EXPECT_EQ(first->reply.destination_key, 4100);
  const auto second = snat("192.0.2.9", 5000, "198.51.100.8", range);
  EXPECT_EQ(second->reply.destination_key, 4100);
  EXPECT_EQ(chooser_.made().size(), 1U);
  table_.flush();
  const auto third = snat("192.0.2.9", 5000, "198.51.100.8", range);
  EXPECT_EQ(third->reply.destination_key, 4200) << "forgotten with the entries";
}

TEST_F(NatBind, WhereThereIsNoFreePortTheFlowIsNotConfirmed) {
  NatRange range = onto("198.51.100.7");
  range.ports = NatRange::Ports{4000, 4000};
  bool confirmed = false;
  snat("192.0.2.9", 5000, "198.51.100.9", range, &confirmed);
  EXPECT_TRUE(confirmed);
  snat("192.0.2.10", 5000, "198.51.100.9", range, &confirmed);
  EXPECT_FALSE(confirmed);
  EXPECT_EQ(table_.size(), 1U);
}

TEST_F(NatBind, ADeadTcpFlowGivesWayInAScarceRange) {
  NatRange range = onto("198.51.100.7");
  range.ports = NatRange::Ports{4000, 4001};
  const auto tcp = [&](const char* from, std::uint32_t end) {
    Attachment made = flow(from, 5000, "198.51.100.9", 80, protocol::kTcp);
    made.entry->tcp.side[0].end = end;
    binder_.bind(made.entry, Manip::kSource, range, "");
    return std::pair(made.entry, table_.confirm(made));
  };
  const auto [one, first] = tcp("192.0.2.9", 1000);
  const auto [two, second] = tcp("192.0.2.10", 1000);
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(tcp("192.0.2.11", 2000).second);
  one->tcp.state = TcpState::kTimeWait;
  EXPECT_FALSE(tcp("192.0.2.11", 900).second) << "an older sequence number";
  EXPECT_TRUE(tcp("192.0.2.11", 2000).second);
  EXPECT_TRUE(one->dying);
  EXPECT_FALSE(two->dying);
}

TEST_F(NatBind, AConfirmedFlowIsNeverBound) {
  Attachment made = flow("192.0.2.9", 5000, "198.51.100.9", 53);
  ASSERT_TRUE(table_.confirm(made));
  binder_.bind(made.entry, Manip::kSource, onto("198.51.100.7"), "");
  EXPECT_EQ(made.entry->reply.destination, ip("192.0.2.9"));
  EXPECT_EQ(made.entry->status, ct_status::kConfirmed);
}

// A child that comes to the router goes on to the master's client, at the port that the client had
// announced before the router changed it (nf_nat_follow_master).
TEST_F(NatBind, AChildFollowsItsMasterToTheAnnouncedPort) {
  const auto master = snat("10.0.0.2", 5000, "198.51.100.9", onto("192.0.2.1"));
  const Attachment child = flow("198.51.100.9", 20, "192.0.2.1", 40001);
  child.entry->master = master;
  child.entry->follow = FollowMaster{CtDirection::kReply, 40000};
  binder_.follow_master(child.entry);
  EXPECT_EQ(child.entry->reply.source, ip("10.0.0.2"));
  EXPECT_EQ(child.entry->reply.source_key, 40000);
  EXPECT_EQ(child.entry->reply.destination, ip("198.51.100.9"));
  EXPECT_EQ(child.entry->reply.destination_key, 20);
}

}  // namespace
}  // namespace postern
