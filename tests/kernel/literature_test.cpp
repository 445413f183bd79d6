// What books, articles and answers say of connection tracking, measured: each claim of
// docs/literature.md on Linux and in the engine, which must give the same (with both backends).
// tests/unit/literature_test.cpp holds that page against this file.
#include "conntrack_twin.hpp"
#include "corpus_script.hpp"
#include "twin_case.hpp"

namespace postern::kernel {
namespace {

const Json kNone = Json::array();

class Literature : public KernelTest {
 protected:
  // The packets of a script of corpus/, with what Linux says of each; the engine says the same.
  static Json script(const std::string& name, std::size_t index = 0) {
    return same_on_both([&](std::string_view backend) {
      Scenario scenario = corpus_script(name).at(index);
      scenario.observe = Observe::kEach;
      scenario.backend = backend == "nft" ? Backend::kNft : Backend::kLegacy;
      return scenario;
    })["packets"];
  }
  // The same of these packets in a router between two networks.
  static Json router(const char* ruleset, const char* packets) {
    const Case one{"literature", ruleset, packets};
    return same_on_both([&](const char* backend) { return scenario_of(one, backend); })["packets"];
  }
};

Json named(const Json& packets, const std::string& name) {
  for (const Json& packet : packets) {
    if (packet.value("name", "") == name) return packet;
  }
  ADD_FAILURE() << "no packet is named " << name;
  return Json::object();
}

std::string state(const Json& packet, const char* hook) {
  return packet.value("ctstate", Json::object()).value(hook, "");
}
Json entries(const Json& packet) { return packet.value("conntrack", kNone); }
// Of the only entry.
Json entry(const Json& packet) {
  EXPECT_EQ(entries(packet).size(), 1U) << packet;
  return entries(packet).empty() ? Json::object() : entries(packet)[0];
}

// --- NOTRACK for a TCP port on loopback ---------------------------------------------------------

TEST_F(Literature, NotrackInPreroutingAloneUntracksNothingOnLoopback) {
  const Json ack = named(script("notrack/test1"), "ack");
  EXPECT_EQ(state(ack, "OUTPUT"), "ESTABLISHED");
  EXPECT_EQ(state(ack, "INPUT"), "ESTABLISHED");
  EXPECT_EQ(entry(ack)["state"], "ESTABLISHED");
  EXPECT_EQ(entry(ack)["assured"], true);
}

TEST_F(Literature, NotrackOfTheAnswersAloneLeavesAHalfOpenEntry) {
  const Json packets = script("notrack/test2");
  EXPECT_EQ(state(named(packets, "syn"), "OUTPUT"), "NEW");
  EXPECT_EQ(state(named(packets, "syn-ack"), "OUTPUT"), "UNTRACKED");
  for (const char* name : {"ack", "request", "answer-ack"}) {
    const Json packet = named(packets, name);
    EXPECT_EQ(state(packet, "OUTPUT"), "INVALID") << name;
    EXPECT_EQ(state(packet, "INPUT"), "UNTRACKED") << name;
    EXPECT_EQ(entry(packet)["state"], "SYN_SENT") << name;
    EXPECT_EQ(entry(packet)["unreplied"], true) << name;
  }
}

TEST_F(Literature, NotrackInAllFourPlacesLeavesNoEntry) {
  for (const Json& packet : script("notrack/test3")) {
    EXPECT_EQ(packet["verdict"], "delivered");
    EXPECT_EQ(state(packet, "OUTPUT"), "UNTRACKED");
    EXPECT_EQ(state(packet, "INPUT"), "UNTRACKED");
    EXPECT_EQ(entries(packet), kNone);
  }
}

TEST_F(Literature, AcceptingTheAnswersBySourcePortOpensEveryPort) {
  for (const Json& packet : script("notrack/test3-lockdown", 2)) {  // from port 1234 to port 80
    EXPECT_EQ(packet["verdict"], "delivered") << packet;
    EXPECT_EQ(entries(packet), kNone);
  }
}

TEST_F(Literature, AskingForAnAckClosesTheHoleForConnections) {
  EXPECT_EQ(named(script("notrack/test4"), "ack")["verdict"], "delivered");
  const Json from_1234 = script("notrack/test4", 2);
  EXPECT_EQ(named(from_1234, "syn")["verdict"], "dropped");
  EXPECT_EQ(named(from_1234, "ack")["verdict"], "delivered") << "an ACK scan still gets through";
}

// --- tuples, ping and active FTP through SNAT ---------------------------------------------------

TEST_F(Literature, ActiveFtpThroughSnatIsExpectedAtTheRouter) {
  const Json packets = script("stories/ftp-active-snat");
  const Json port = named(packets, "PORT: rewritten, three bytes longer");
  ASSERT_EQ(port["expect"].size(), 1U);
  EXPECT_EQ(port["expect"][0]["tuple"]["dst"], "198.51.100.1");
  EXPECT_EQ(port["expect"][0]["tuple"]["dport"], 5001);
  const Json data = named(packets, "data connection: RELATED, to the client");
  EXPECT_EQ(state(data, "FORWARD"), "RELATED");
  EXPECT_EQ(data["out"][0]["dst"], "192.0.2.9");
}

// Every conversation of three segments out of SYN, SYN/ACK, ACK and RST, from either side.
TEST_F(Literature, NoEntryIsUnrepliedAndAssured) {
  const auto twin = Twin::create();
  ASSERT_TRUE(twin);
  int unreplied = 0, assured = 0;
  const std::uint8_t kFlags[] = {tcp_flag::kSyn, tcp_flag::kSyn | tcp_flag::kAck, tcp_flag::kAck,
                                 tcp_flag::kRst};
  for (unsigned conversation = 0; conversation < 8 * 8 * 8; ++conversation) {
    twin->restart({});
    for (const unsigned choice : {conversation / 64, conversation / 8 % 8, conversation % 8}) {
      const bool from_client = choice < 4;
      Packet packet;
      packet.in = from_client ? "eth0" : "eth1";
      packet.source = *Address::parse(from_client ? kClient4 : kServer4);
      packet.destination = *Address::parse(from_client ? kServer4 : kClient4);
      packet.protocol = protocol::kTcp;
      packet.source_port = from_client ? 40000 : 80;
      packet.destination_port = from_client ? 80 : 40000;
      packet.flags = kFlags[choice % 4];
      packet.seq = (from_client ? 1000 : 5000) + ((packet.flags & tcp_flag::kSyn) == 0 ? 1 : 0);
      packet.ack = (packet.flags & tcp_flag::kAck) == 0 ? 0 : from_client ? 5001 : 1001;
      ASSERT_TRUE(twin->send(packet));  // Linux's table and ours are the same
      for (const EntryReport& one : twin->table().report()) {
        unreplied += one.unreplied();
        assured += one.assured();
        EXPECT_FALSE(one.unreplied() && one.assured()) << "conversation " << conversation;
      }
    }
  }
  EXPECT_GT(unreplied, 100);
  EXPECT_GE(assured, 10);
}

// --- marks and what is RELATED ------------------------------------------------------------------

TEST_F(Literature, WhatRejectAnswersIsRelated) {
  for (const std::size_t ruleset : {0, 1}) {
    for (const char* name : {"SYN to a refused port", "SYN to a refused port of another host"}) {
      const Json packet = named(script("stories/reject-reset", ruleset), name);
      ASSERT_EQ(packet["replies"].size(), 1U);
      EXPECT_EQ(packet["replies"][0]["flags"], "RST,ACK");
      EXPECT_EQ(packet["replies"][0]["ctstate"], "RELATED");
      EXPECT_EQ(packet["replies"][0].value("fate", "leaves"), ruleset == 0 ? "dropped" : "leaves");
    }
  }
}

TEST_F(Literature, ErrorsAndRejectsAnswersShareTheMarkForGood) {
  const Json errors = script("stories/connmark-error");
  EXPECT_EQ(entry(errors[3])["mark"], 7);
  EXPECT_EQ(state(errors[4], "FORWARD"), "RELATED");
  EXPECT_EQ(entry(errors[4])["mark"], 8) << "written by a rule that matched the error alone";
  EXPECT_EQ(entry(errors[5])["mark"], 8);
  const Json rejects = script("stories/connmark-reject");
  EXPECT_EQ(entry(rejects[4])["mark"], 9);
  EXPECT_EQ(rejects[5]["replies"][0]["ctstate"], "RELATED");
  EXPECT_EQ(entry(rejects[5])["mark"], 10) << "written by a rule that matched the answer alone";
  EXPECT_EQ(entry(rejects[6])["mark"], 10);
}

TEST_F(Literature, AHelpersChildHasACopyOfTheMark) {
  const auto marks = [](const Json& packet) {
    std::map<bool, Json> found;  // of the child?
    for (const Json& one : entries(packet)) found[one.contains("master")] = one["mark"];
    return found;
  };
  const Json packets = script("stories/connmark-child");
  const auto born = marks(named(packets, "data connection: born with its master's mark"));
  EXPECT_EQ(born, (std::map<bool, Json>{{false, 21}, {true, 21}}));
  const auto later = marks(named(packets, "its ACK: the child is marked 22, the master is not"));
  EXPECT_EQ(later, (std::map<bool, Json>{{false, 21}, {true, 22}}));
}

// --- timeouts and the end of entries ------------------------------------------------------------

// What Linux says by --ctexpire of the last packet's flow: the number of the rule that matched.
int matched_by_expiry(const std::string& packets) {
  const Case one{"literature",
                 "*filter\n-A FORWARD -m conntrack --ctexpire 29:30\n"
                 "-A FORWARD -m conntrack --ctexpire 119:120\n"
                 "-A FORWARD -m conntrack --ctexpire 599:600\n"
                 "-A FORWARD -m conntrack --ctexpire 179:180\nCOMMIT\n",
                 packets.c_str()};
  const auto document = run(scenario_of(one, "legacy"));
  if (!document) throw std::runtime_error(document.error());
  const Json rules = document->at("packets").back()["rules"];
  EXPECT_EQ(rules.size(), 1U) << rules;
  return rules.empty() ? 0 : rules[0]["num"].get<int>();
}
// The same in the engine, which takes --ctexpire for open: from its table, in seconds.
std::uint64_t seconds_left(const std::string& packets) {
  const Case one{"literature", "*filter\nCOMMIT\n", packets.c_str()};
  ConntrackTable table;
  for (const Step& step : scenario_of(one, "legacy").steps) {
    if (const auto* wait = std::get_if<WaitStep>(&step)) table.advance(wait->milliseconds);
    const auto* packet = std::get_if<Packet>(&step);
    if (packet == nullptr) continue;
    Attachment attachment;
    table.track(view_of(*packet), Hook::kPrerouting, attachment);
    table.confirm(attachment);
  }
  EXPECT_EQ(table.size(), 1U);
  return (table.entries().front()->deadline - table.now()) / 1000;
}

const std::string kUdpThere =
    R"({"in":"eth0","src":"192.0.2.9","dst":"198.51.100.9","proto":"udp","sport":5000,"dport":53})";
const std::string kUdpBack =
    R"({"in":"eth1","src":"198.51.100.9","dst":"192.0.2.9","proto":"udp","sport":53,"dport":5000})";
const std::string kPing =
    R"({"in":"eth0","src":"192.0.2.9","dst":"198.51.100.9","proto":"icmp","type":8,"id":7})";
const std::string kPong =
    R"({"in":"eth1","src":"198.51.100.9","dst":"192.0.2.9","proto":"icmp","type":0,"id":7})";

TEST_F(Literature, AStreamOfUdpLivesTwoMinutesNotThree) {
  const std::string packets =
      "[" + kUdpThere + "," + kUdpBack + R"(,{"wait_ms":2300},)" + kUdpThere + "]";
  EXPECT_EQ(matched_by_expiry(packets), 2);
  EXPECT_EQ(seconds_left(packets), 120U);
}

TEST_F(Literature, UdpIsNotAssuredByItsFirstReply) {
  const std::string packets =
      "[" + kUdpThere + "," + kUdpBack + R"(,{"wait_ms":2300},)" + kUdpBack + "]";
  const Json seen =
      router("*filter\n-A FORWARD -m conntrack --ctstate NEW\nCOMMIT\n", packets.c_str());
  EXPECT_EQ(entry(seen[1])["unreplied"], false);
  EXPECT_EQ(entry(seen[1])["assured"], false);
  EXPECT_EQ(entry(seen[3])["assured"], true);
  // However late the first reply comes.
  const std::string late = "[" + kUdpThere + R"(,{"wait_ms":2300},)" + kUdpBack + "]";
  const Json reply =
      router("*filter\n-A FORWARD -m conntrack --ctstate NEW\nCOMMIT\n", late.c_str())[2];
  EXPECT_EQ(entry(reply)["assured"], false);
}

TEST_F(Literature, APingsEntryOutlivesItsReply) {
  const std::string packets = "[" + kPing + "," + kPong + "," + kPong + "," + kPing + "]";
  const Json seen =
      router("*filter\n-A FORWARD -m conntrack --ctstate NEW\nCOMMIT\n", packets.c_str());
  for (const std::size_t later : {1, 2, 3}) {
    EXPECT_EQ(state(seen[later], "FORWARD"), "ESTABLISHED") << later;
    EXPECT_EQ(entry(seen[later])["proto"], "icmp") << later;
  }
}

TEST_F(Literature, AnIcmpErrorDestroysNoEntry) {
  const Json packets = script("stories/icmp");
  for (const char* name :
       {"port unreachable", "time exceeded, from a router that we never spoke to"}) {
    EXPECT_EQ(state(named(packets, name), "INPUT"), "RELATED");
    EXPECT_EQ(entry(named(packets, name))["proto"], "udp");
  }
  const Json answer =
      named(packets, "the port answers after all: the errors have destroyed nothing");
  EXPECT_EQ(state(answer, "INPUT"), "ESTABLISHED");
}

TEST_F(Literature, UdpLivesThirtySeconds) {
  for (const std::string& last : {kUdpThere, kUdpBack}) {
    const std::string packets = "[" + kUdpThere + "," + last + "]";
    EXPECT_EQ(matched_by_expiry(packets), 1);
    EXPECT_EQ(seconds_left(packets), 30U);
  }
}

TEST_F(Literature, IcmpLivesThirtySeconds) {
  const std::string packets = "[" + kPing + "," + kPong + "]";
  EXPECT_EQ(matched_by_expiry(packets), 1);
  EXPECT_EQ(seconds_left(packets), 30U);
}

TEST_F(Literature, OtherProtocolsLiveTenMinutes) {
  const std::string other =
      R"({"in":"eth0","src":"192.0.2.9","dst":"198.51.100.9","proto":253,"payload":8})";
  const std::string packets = "[" + other + "," + other + "]";
  EXPECT_EQ(matched_by_expiry(packets), 3);
  EXPECT_EQ(seconds_left(packets), 600U);
}

// --- helpers ------------------------------------------------------------------------------------

TEST_F(Literature, NobodyGetsAHelperByItself) {
  const Json packets = script("stories/ftp-passive", 1);  // no CT rule
  for (const Json& packet : packets) {
    for (const Json& one : entries(packet)) EXPECT_FALSE(one.contains("helper")) << one;
    EXPECT_EQ(packet.value("expect", kNone), kNone);
  }
  EXPECT_FALSE(entries(packets[2]).empty());
}

// The module is there, because a rule asks for it, if not for this flow's port.
TEST_F(Literature, LoadingTheFtpModuleGivesNobodyAHelper) {
  const char* const kSyn =
      R"([{"in":"eth0","src":"192.0.2.9","dst":"198.51.100.9","proto":"tcp","sport":5000,"dport":21,"flags":"SYN","seq":1},
          {"in":"eth0","src":"192.0.2.9","dst":"198.51.100.9","proto":"tcp","sport":5000,"dport":2121,"flags":"SYN","seq":1}])";
  const Json packets =
      router("*raw\n-A PREROUTING -p tcp -m tcp --dport 2121 -j CT --helper ftp\nCOMMIT\n", kSyn);
  EXPECT_FALSE(entry(packets[0]).contains("helper"));
  ASSERT_EQ(entries(packets[1]).size(), 2U);
  for (const Json& one : entries(packets[1])) {
    EXPECT_EQ(one.value("helper", ""), one["orig"]["dport"] == 2121 ? "ftp" : "");
  }
}

TEST_F(Literature, PassiveFtpComesFromAnyPort) {
  const Json packets = script("stories/ftp-passive");
  const Json announced = named(packets, "227: port 40000 is expected");
  ASSERT_EQ(announced["expect"].size(), 1U);
  EXPECT_EQ(announced["expect"][0]["mask"]["sport"], 0);
  const Json data = named(packets, "data connection");
  EXPECT_EQ(state(data, "INPUT"), "RELATED");
  EXPECT_NE(data["delivered"][0]["sport"], 20);
}

// --- untracked flows ----------------------------------------------------------------------------

TEST_F(Literature, UntrackedFlowsHaveNothingRelated) {
  const std::string error = R"({"in":"eth1","src":"198.51.100.9","dst":"192.0.2.9","proto":"icmp",)"
                            R"("type":3,"code":3,"inner":)" +
                            kUdpThere + "}";
  const std::string packets = "[" + kUdpThere + "," + error + "]";
  const char* const kStates = "*filter\n-A FORWARD -m conntrack --ctstate RELATED\nCOMMIT\n";
  const std::string untracked =
      std::string("*raw\n-A PREROUTING -p udp -j NOTRACK\nCOMMIT\n") + kStates;
  EXPECT_EQ(state(router(untracked.c_str(), packets.c_str())[1], "FORWARD"), "INVALID");
  EXPECT_EQ(state(router(kStates, packets.c_str())[1], "FORWARD"), "RELATED");
}

TEST_F(Literature, NotrackOnTheWayInLeavesEntriesTheOtherWayRound) {
  const Json packets = script("p2p/in");
  EXPECT_EQ(state(named(packets, "request"), "INPUT"), "UNTRACKED");
  EXPECT_EQ(entries(named(packets, "request")), kNone);
  const Json answer = named(packets, "answer");
  EXPECT_EQ(state(answer, "OUTPUT"), "NEW");
  EXPECT_EQ(entry(answer)["orig"]["src"], "192.0.2.1");
  EXPECT_EQ(entry(answer)["orig"]["sport"], 33333);
  EXPECT_EQ(entry(named(packets, "next answer"))["unreplied"], true);
}

}  // namespace
}  // namespace postern::kernel
