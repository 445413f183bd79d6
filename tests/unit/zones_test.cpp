// Zones in the sets: which entry a packet finds, against the engine's conntrack table, and
// questions whose answers hang on it (kernel-facts 19, 23, 24; Linux's word on the table is
// tests/kernel/zone_test.cpp).
#include "symbolic/entries/zones.hpp"

#include <gtest/gtest.h>

#include <random>

#include "conntrack_packets.hpp"
#include "query_fixture.hpp"
#include "symbolic/explore/automaton.hpp"

namespace postern {
namespace {

constexpr std::uint32_t kA = 0xc0000209, kB = 0xc6336409;

PacketView datagram(FlowEnd sender) {
  const bool first = sender == FlowEnd::kInitiator;
  return test::plain_packet(protocol::kUdp, first ? kA : kB, first ? kB : kA, first ? 5000 : 53,
                            first ? 53 : 5000);
}

std::string templates(const std::string& rules) { return "*raw\n" + rules + "COMMIT\n"; }

AttachTemplate request_for(ZonePair pair) {
  AttachTemplate request;
  request.zone = pair.id();
  using enum AttachTemplate::Direction;
  request.zone_direction = pair.original == pair.reply ? kBoth
                           : pair.reply == 0           ? kOriginal
                                                       : kReply;
  return request;
}

// What stands in the table, as the automaton says it: zone and whether it is answered and by whom.
using Standing = std::multiset<std::tuple<std::uint16_t, bool, bool>>;

Standing standing(const ConntrackTable& table) {
  Standing result;
  for (const EntryReport& e : table.report()) {
    result.emplace(e.zone, e.original.source.value != kA, !e.unreplied());
  }
  return result;
}

Standing standing(const Automaton& automaton, std::uint16_t number) {
  Standing result;
  const auto parts = automaton.parts(number);
  for (std::size_t k = 0; k < parts.size(); ++k) {
    if (parts[k] == 0) continue;
    const EntryInfo& info = automaton.infos()[parts[k]];
    result.emplace(automaton.zones().pairs()[k].id(), info.by_responder, info.seen_reply);
  }
  return result;
}

// Random packets of one flow in random zones: what the table makes of each is among the automaton's
// moves, and is its only move unless that is marked as coarse.
TEST(Zones, TheAutomatonFindsWhatTheTableFinds) {
  const LoadedRuleset rules("zones", templates("-A PREROUTING -j CT --zone 1\n"
                                               "-A PREROUTING -j CT --zone 2\n"
                                               "-A PREROUTING -j CT --zone-orig 1\n"
                                               "-A PREROUTING -j CT --zone-reply 1\n"
                                               "-A PREROUTING -j CT --zone-orig 2\n"));
  const Zones zones(rules.program(), 0);
  ASSERT_EQ(zones.pairs().size(), 6U);
  unsigned several = 0, clashes = 0, unsure = 0;
  for (unsigned seed = 1; seed <= 400; ++seed) {
    std::mt19937 random(seed);
    Automaton automaton({}, zones);
    ConntrackTable table;
    std::uint16_t number = 0;
    for (unsigned k = 0; k < 12; ++k) {
      const auto sender = random() % 2 == 0 ? FlowEnd::kInitiator : FlowEnd::kResponder;
      const auto pair = static_cast<std::uint8_t>(random() % zones.pairs().size());
      const AttachTemplate request = request_for(zones.pairs()[pair]);
      Attachment attachment;
      table.track(datagram(sender), Hook::kPrerouting, attachment, &request);
      const bool confirmed = table.confirm(attachment);
      const auto& moves = automaton.moves(number, sender, PacketKind::kDatagram, pair);
      const auto agrees = [&](const Move& move) {
        return move.step.state == attachment.state && move.clashes == !confirmed &&
               move.step.direction == attachment.direction && !move.step.after.assured &&
               standing(automaton, move.kept) == standing(table);
      };
      const auto met = std::ranges::find_if(moves, agrees);
      ASSERT_NE(met, moves.end()) << "seed " << seed << ", packet " << k << ": "
                                  << automaton.infos()[number].text;
      several += automaton.infos()[met->kept].parts.size() > 1 ? 1 : 0;
      clashes += met->clashes ? 1 : 0;
      unsure += met->step.coarse && !met->clashes ? 1 : 0;
      number = met->kept;
    }
  }
  EXPECT_GT(several, 100U);
  EXPECT_GT(clashes, 20U);
  EXPECT_GT(unsure, 20U);
}

TEST(Zones, WhatIsNotFollowed) {
  const auto followed = [](const std::string& text) {
    const LoadedRuleset rules("rules", text);
    return Zones(rules.program(), 0xff).template_of(0) != 0;
  };
  EXPECT_TRUE(followed(templates("-A OUTPUT -j CT --zone 1\n")));
  // What needs no zone is a request of templates.hpp, but where rules look at it.
  EXPECT_FALSE(followed(templates("-A OUTPUT -j CT --ctevents new\n")));
  EXPECT_TRUE(
      followed(templates("-A OUTPUT -j CT --ctevents new\n"
                         "-A OUTPUT -m conntrack --ctstatus CONFIRMED -j ACCEPT\n")));
  // A helper in a zone has a number in both, one that is not followed in none.
  EXPECT_TRUE(followed(templates("-A OUTPUT -p tcp -j CT --helper ftp --zone 1\n")));
  EXPECT_FALSE(followed(templates("-A OUTPUT -p tcp -j CT --helper ftp\n")));
  EXPECT_FALSE(followed(templates("-A OUTPUT -p tcp -j CT --helper pptp --zone 1\n")));
  EXPECT_FALSE(followed(templates("-A OUTPUT -j CT --zone mark\n"))) << "too many bits";
  EXPECT_FALSE(
      followed(templates("-A OUTPUT -j CT --zone 1\n-A OUTPUT -j CONNMARK --set-mark 1\n")));
}

struct Row {
  const char* name;
  std::string raw, filter;  // rules; policies of filter are DROP
  const char* question;
  Truth truth;
};

const std::string kStateful =
    "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
    "-A OUTPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
    "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n";
const std::string kServer = kStateful +
                            "-A INPUT -p tcp --dport 22 --syn -j ACCEPT\n"
                            "-A INPUT -p udp --dport 53 -j ACCEPT\n";
const std::string kClient = kStateful + "-A OUTPUT -m conntrack --ctstate NEW -j ACCEPT\n";
const std::string kLocal = kClient + "-A INPUT -i lo -p tcp --dport 80 --syn -j ACCEPT\n";
const std::string kRouter = kStateful + "-A FORWARD -i eth0 -m conntrack --ctstate NEW -j ACCEPT\n";

std::vector<Row> rows() {
  const char* ssh = "connect -i eth0 -p tcp --dport 22 --path in";
  const char* dns = "connect -o eth0 -p udp --dport 53 --path out";
  const char* through = "connect -i eth0 -o eth1 -p tcp --dport 80 --path forward";
  return {
      {"answers in another zone", "-A PREROUTING -i eth0 -j CT --zone 1\n", kServer, ssh,
       Truth::kNo},
      {"both in one", "-A PREROUTING -i eth0 -j CT --zone 1\n-A OUTPUT -o eth0 -j CT --zone 1\n",
       kServer, ssh, Truth::kYes},
      {"only the original direction", "-A PREROUTING -i eth0 -j CT --zone-orig 1\n", kServer, ssh,
       Truth::kYes},
      {"only the reply direction", "-A PREROUTING -i eth0 -j CT --zone-reply 1\n", kServer, ssh,
       Truth::kNo},
      {"... with its answers",
       "-A PREROUTING -i eth0 -j CT --zone-reply 1\n"
       "-A OUTPUT -o eth0 -j CT --zone-reply 1\n",
       kServer, ssh, Truth::kYes},
      {"a template without a zone", "-A PREROUTING -i eth0 -j CT --ctevents new\n", kServer, ssh,
       Truth::kYes},
      {"zone 0", "-A PREROUTING -i eth0 -j CT --zone 0\n", kServer, ssh, Truth::kYes},
      {"the first template wins",
       "-A PREROUTING -i eth0 -j CT --zone 0\n"
       "-A PREROUTING -i eth0 -j CT --zone 1\n",
       kServer, ssh, Truth::kYes},
      {"NOTRACK comes too late",
       "-A PREROUTING -i eth0 -j CT --zone-orig 1\n"
       "-A PREROUTING -i eth0 -j NOTRACK\n",
       kServer, ssh, Truth::kYes},
      {"NOTRACK came first",
       "-A PREROUTING -i eth0 -j NOTRACK\n"
       "-A PREROUTING -i eth0 -j CT --zone 1\n",
       kServer, ssh, Truth::kNo},
      {"behind a template rules see NEW",
       "-A PREROUTING -i eth0 -j CT --zone-orig 1\n"
       "-A PREROUTING -m conntrack --ctstate NEW -j DROP\n",
       kServer, ssh, Truth::kNo},
      {"... and no longer INVALID",
       "-A PREROUTING -i eth0 -j CT --zone-orig 1\n"
       "-A PREROUTING -m conntrack --ctstate INVALID -j DROP\n",
       kServer, ssh, Truth::kYes},
      {"... confirmed",
       "-A PREROUTING -i eth0 -j CT --zone-orig 1\n"
       "-A PREROUTING -m conntrack --ctstatus CONFIRMED -j DROP\n",
       kServer, ssh, Truth::kNo},
      {"UDP's answers are NEW", "-A PREROUTING -i eth0 -j CT --zone 1\n", kClient, dns, Truth::kNo},
      {"... which a rule may accept", "-A PREROUTING -i eth0 -j CT --zone 1\n",
       kClient + "-A INPUT -p udp --sport 53 -m conntrack --ctstate NEW -j ACCEPT\n", dns,
       Truth::kYes},
      {"a zone for each wire",
       "-A PREROUTING -i eth0 -j CT --zone 1\n"
       "-A PREROUTING -i eth1 -j CT --zone 2\n",
       kRouter, through, Truth::kNo},
      {"by direction", "-A PREROUTING -i eth0 -j CT --zone-orig 1\n", kRouter, through,
       Truth::kYes},
      {"one for both wires", "-A PREROUTING -i eth+ -j CT --zone 7\n", kRouter, through,
       Truth::kYes},
      {"over lo it is kept", "-A OUTPUT -o lo -j CT --zone 1\n-A PREROUTING -j CT --zone 2\n",
       kLocal, "connect -i lo -p tcp --dport 80", Truth::kYes},
      {"one way over lo", "-A OUTPUT -o lo -p tcp --dport 80 -j CT --zone 1\n", kLocal,
       "connect -i lo -p tcp --sport 4000 --dport 80", Truth::kNo},
      {"INVALID in OUTPUT, looked up again",
       "-A OUTPUT -o lo -p tcp --dport 80 -j CT --zone 1\n"
       "-A PREROUTING -i lo -p tcp --sport 80 -j CT --zone 1\n",
       kStateful +
           "-A OUTPUT -o lo -j ACCEPT\n-A INPUT -i lo --protocol tcp --dport 80 -j ACCEPT\n",
       "connect -i lo -p tcp --dport 80", Truth::kYes},
      {"the mark's zone",
       "-A PREROUTING -i eth0 -j MARK --set-mark 3\n"
       "-A PREROUTING -i eth0 -j CT --zone mark\n",
       kServer, ssh, Truth::kNo},
      {"... on both sides",
       "-A PREROUTING -i eth0 -j MARK --set-mark 3\n"
       "-A PREROUTING -i eth0 -j CT --zone mark\n-A OUTPUT -j CT --zone 3\n",
       kServer, ssh, Truth::kYes},
      {"... read at the lookup",
       "-A PREROUTING -i eth0 -j CT --zone mark\n"
       "-A PREROUTING -i eth0 -j MARK --set-mark 3\n"
       "-A OUTPUT -j CT --zone 3\n",
       kServer, ssh, Truth::kYes},
      {"an entry in a zone", "-A PREROUTING -i eth0 -j CT --zone 1\n", kServer,
       "track -i eth0 -p tcp --dport 22 --path in --entry-state SYN_SENT", Truth::kYes},
      {"it is never answered", "-A PREROUTING -i eth0 -j CT --zone 1\n", kServer,
       "track -i eth0 -p tcp --dport 22 --path in --entry-state SYN_RECV", Truth::kNo},
      {"a flow with two", "-A PREROUTING -m tos --tos 0x10 -j CT --zone 1\n",
       kStateful + "-A FORWARD -p udp -m tos --tos 0x10 -j ACCEPT\n"
                   "-A FORWARD -i eth0 -p udp -m conntrack --ctstate NEW -j ACCEPT\n",
       "deliver -i eth0 -o eth1 -p udp --path forward", Truth::kYes},
  };
}

TEST(Zones, Questions) {
  for (const Row& row : rows()) {
    SCOPED_TRACE(row.name);
    const LoadedRuleset rules(row.name, templates(row.raw) +
                                            "*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT DROP\n" +
                                            row.filter + "COMMIT\n");
    const Answer a = ask_one(rules, row.question);
    EXPECT_EQ(a.truth, row.truth) << to_text(a);
    EXPECT_FALSE(a.conditional);
  }
}

}  // namespace
}  // namespace postern
