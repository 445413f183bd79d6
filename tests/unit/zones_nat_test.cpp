// Zones together with NAT in the sets (edges_zones.cpp): which entry a packet finds where NAT has
// bound one of them, and what its answers find. Every yes is replayed, every no proved.
#include <gtest/gtest.h>

#include "query_fixture.hpp"

namespace postern {
namespace {

struct Row {
  const char* name;
  std::string raw, nat, filter;  // rules; policies of filter are DROP
  const char* question;
  Truth truth;
};

const std::string kEstablished =
    "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
    "-A OUTPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
    "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n";
const std::string kRouter =
    kEstablished + "-A FORWARD -i eth0 -m conntrack --ctstate NEW -j ACCEPT\n";
const std::string kOpenRouter = kEstablished + "-A FORWARD -m conntrack --ctstate NEW -j ACCEPT\n";
const std::string kServer = kEstablished +
                            "-A INPUT -p tcp --dport 22 --syn -j ACCEPT\n"
                            "-A INPUT -p udp --dport 53 -j ACCEPT\n";
const std::string kClient = kEstablished + "-A OUTPUT -m conntrack --ctstate NEW -j ACCEPT\n";

const std::string kSnat = "-A POSTROUTING -o eth1 -j SNAT --to-source 198.51.100.1\n";
const std::string kMasquerade = "-A POSTROUTING -o eth1 -j MASQUERADE\n";
const std::string kForwarded =
    "-A PREROUTING -i eth0 -p tcp --dport 80 -j DNAT --to-destination 198.51.100.9:8080\n";

const std::string kOneZone = "-A PREROUTING -j CT --zone 1\n-A OUTPUT -j CT --zone 1\n";
const std::string kZoneEach =
    "-A PREROUTING -i eth0 -j CT --zone 1\n-A PREROUTING -i eth1 -j CT --zone 2\n";
const std::string kByDirection = "-A PREROUTING -i eth0 -j CT --zone-orig 1\n";

const char* const kTcpThrough =
    "connect -i eth0 -o eth1 -s 192.0.2.9 -d 198.51.100.9 -p tcp --dport 80 --path forward";
const char* const kUdpThrough =
    "connect -i eth0 -o eth1 -s 192.0.2.9 -d 198.51.100.9 -p udp --dport 53 --path forward";
const char* const kBack =
    "deliver -i eth1 -o eth0 -s 198.51.100.9 -d 192.0.2.9 -p udp --dport 53 --path forward";

std::vector<Row> one_zone() {
  return {
      {"SNAT", kOneZone, kSnat, kRouter, kTcpThrough, Truth::kYes},
      {"MASQUERADE", kOneZone, kMasquerade, kRouter, kUdpThrough, Truth::kYes},
      {"a forwarded port", kOneZone, kForwarded, kRouter,
       "connect -i eth0 -s 192.0.2.9 -d 203.0.113.5 -p tcp --dport 80 --path forward", Truth::kYes},
      {"... as it arrives", kOneZone, kForwarded, kRouter,
       "connect -i eth0 -s 192.0.2.9 -d 203.0.113.5 -p tcp --dport 80 --path forward "
       "--to-destination 198.51.100.9 --to-port 8080",
       Truth::kYes},
      {"... and nothing beside it", kOneZone, kForwarded, kRouter,
       "connect -i eth0 -s 192.0.2.9 -d 203.0.113.5 -p tcp --dport 80 --path forward "
       "--to-destination 198.51.100.77",
       Truth::kNo},
      {"answers without a zone", "-A PREROUTING -i eth0 -j CT --zone 1\n", kSnat, kRouter,
       kTcpThrough, Truth::kNo},
      {"... nor of UDP", "-A PREROUTING -i eth0 -j CT --zone 1\n", kSnat, kRouter, kUdpThrough,
       Truth::kNo},
      {"... though they are let through", "-A PREROUTING -i eth0 -j CT --zone 1\n", kSnat,
       kOpenRouter, kUdpThrough, Truth::kNo},
      {"a zone for each wire", kZoneEach, kSnat, kRouter, kTcpThrough, Truth::kNo},
      {"... that NAT does not bind", kZoneEach, "-A POSTROUTING -o eth7 -j MASQUERADE\n",
       kOpenRouter, kUdpThrough, Truth::kYes},
      {"the far end opens nothing", kOneZone, kSnat, kRouter, kBack, Truth::kNo},
      {"a server", kOneZone, "-A POSTROUTING -o eth1 -j MASQUERADE\n", kServer,
       "connect -i eth0 -p tcp --dport 22 --path in", Truth::kYes},
      {"a redirected port", kOneZone,
       "-A PREROUTING -p tcp --dport 2222 -j REDIRECT --to-ports 22\n", kServer,
       "connect -i eth0 -s 192.0.2.9 -p tcp --dport 2222 --path in", Truth::kYes},
      {"... whose answers have no zone", "-A PREROUTING -j CT --zone 1\n",
       "-A PREROUTING -p tcp --dport 2222 -j REDIRECT --to-ports 22\n", kServer,
       "connect -i eth0 -s 192.0.2.9 -p tcp --dport 2222 --path in", Truth::kNo},
      {"a client", kOneZone, "-A POSTROUTING -o eth0 -j MASQUERADE\n", kClient,
       "connect -o eth0 -p udp --dport 53 --path out", Truth::kYes},
      {"an entry", kOneZone, kSnat, kRouter,
       "track -i eth0 -o eth1 -s 192.0.2.9 -p tcp --dport 80 --path forward --entry-state "
       "ESTABLISHED",
       Truth::kYes},
      {"one that is never answered", "-A PREROUTING -i eth0 -j CT --zone 1\n", kSnat, kRouter,
       "track -i eth0 -o eth1 -s 192.0.2.9 -d 198.51.100.9 -p tcp --dport 80 --path forward "
       "--entry-state SYN_RECV",
       Truth::kNo},
  };
}

std::vector<Row> one_way() {
  return {
      {"overlapping networks", kByDirection, kSnat, kRouter, kTcpThrough, Truth::kYes},
      {"... and UDP", kByDirection, kSnat, kRouter, kUdpThrough, Truth::kYes},
      {"... only outwards", kByDirection, kSnat, kRouter, kBack, Truth::kNo},
      {"... into the other zone", "-A PREROUTING -i eth0 -j CT --zone-reply 1\n", kSnat, kRouter,
       kTcpThrough, Truth::kNo},
      {"... with its answers",
       "-A PREROUTING -i eth0 -j CT --zone-reply 1\n-A PREROUTING -i eth1 -j CT --zone-reply 1\n",
       kSnat, kRouter, kTcpThrough, Truth::kYes},
      {"a forwarded port", kByDirection, kForwarded, kRouter,
       "connect -i eth0 -s 192.0.2.9 -d 203.0.113.5 -p tcp --dport 80 --path forward", Truth::kYes},
      {"the mark's zone",
       "-A PREROUTING -i eth0 -j MARK --set-mark 3\n-A PREROUTING -i eth0 -j CT --zone mark\n",
       kSnat, kRouter, kTcpThrough, Truth::kNo},
      {"... on both sides",
       "-A PREROUTING -i eth0 -j MARK --set-mark 3\n-A PREROUTING -i eth0 -j CT --zone mark\n"
       "-A PREROUTING -i eth1 -j CT --zone 3\n",
       kSnat, kRouter, kTcpThrough, Truth::kYes},
      {"to this host", kByDirection,
       "-A PREROUTING -p tcp --dport 2222 -j REDIRECT --to-ports 22\n", kServer,
       "connect -i eth0 -s 192.0.2.9 -p tcp --dport 2222 --path in", Truth::kYes},
      {"an entry of the original zone", kByDirection, kSnat, kRouter,
       "track -i eth0 -o eth1 -s 192.0.2.9 -p tcp --dport 80 --path forward --entry-state "
       "ESTABLISHED",
       Truth::kYes},
  };
}

void ask(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const LoadedRuleset rules(row.name, "*raw\n" + row.raw + "COMMIT\n*nat\n" + row.nat +
                                            "COMMIT\n*filter\n:INPUT DROP\n:FORWARD DROP\n"
                                            ":OUTPUT DROP\n" +
                                            row.filter + "COMMIT\n");
    const Answer a = ask_one(rules, row.question);
    EXPECT_EQ(a.truth, row.truth) << to_text(a);
    EXPECT_FALSE(a.conditional) << to_text(a);
  }
}

TEST(ZonesNat, OneZoneForBothDirections) { ask(one_zone()); }
TEST(ZonesNat, ZonesOfOneDirection) { ask(one_way()); }

// Rules of NAT that lead an answer back by themselves make it one, though no entry is found.
TEST(ZonesNat, AnAnswerThatNatLeadsBackIsLeftOpen) {
  const LoadedRuleset rules(
      "both ways",
      "*raw\n" + kZoneEach +
          "COMMIT\n*nat\n"
          "-A PREROUTING -i eth1 -d 198.51.100.1 -j DNAT --to-destination 192.0.2.9\n" +
          kSnat + "COMMIT\n*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT DROP\n" + kOpenRouter +
          "COMMIT\n");
  EXPECT_EQ(ask_one(rules, kUdpThrough).truth, Truth::kUnknown);
  EXPECT_EQ(ask_one(rules, kTcpThrough).truth, Truth::kNo) << "INVALID: no rule of NAT meets it";
}

// Over a flow's life, in both directions: what the far end may reach only while an entry stands.
TEST(ZonesNat, WhatABoundEntryBlocks) {
  const auto ask_in = [](const std::string& raw, const char* question) {
    const LoadedRuleset rules("blocks", "*raw\n" + raw + "COMMIT\n*nat\n" + kSnat +
                                            "COMMIT\n*filter\n:INPUT DROP\n:FORWARD DROP\n"
                                            ":OUTPUT DROP\n-A FORWARD -i eth0 -j ACCEPT\n"
                                            "-A FORWARD -m conntrack --ctstate ESTABLISHED "
                                            "-j ACCEPT\nCOMMIT\n");
    return ask_one(rules, question).truth;
  };
  const char* const answered =
      "track -i eth0 -o eth1 -s 192.0.2.9 -d 198.51.100.9 -p tcp --dport 80 --path forward "
      "--entry-state SYN_RECV";
  EXPECT_EQ(ask_in(kByDirection, answered), Truth::kYes);
  EXPECT_EQ(ask_in("-A PREROUTING -i eth0 -j CT --zone-reply 1\n", answered), Truth::kNo);
  EXPECT_EQ(ask_in("-A PREROUTING -i eth1 -j CT --zone-orig 1\n", answered), Truth::kYes);
  EXPECT_EQ(ask_in(kZoneEach, answered), Truth::kNo);
}

}  // namespace
}  // namespace postern
