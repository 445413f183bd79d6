// Helpers: what they read, the table of expectations, and a flow that is expected. Linux's word on
// all of it is tests/kernel/helper_test.cpp.
#include <gtest/gtest.h>

#include "conntrack_packets.hpp"
#include "engine/ftp_command.hpp"
#include "engine/helper.hpp"
#include "engine/irc_dcc.hpp"
#include "ir/bind.hpp"

namespace postern {
namespace {

const Address kClient = *Address::parse("192.0.2.9");

FtpReading ftp(std::string_view line, CtDirection direction = CtDirection::kOriginal) {
  return read_ftp(Bytes(line.begin(), line.end()), direction, kClient);
}

TEST(FtpCommand, ReadsTheFourAnnouncements) {
  const auto port = ftp("PORT 192,0,2,9,19,137\r\n").found;
  ASSERT_TRUE(port);
  EXPECT_EQ(port->port, 5001);
  EXPECT_EQ(port->address, kClient);
  EXPECT_EQ(port->offset, 5U);
  EXPECT_EQ(port->length, 16U);
  EXPECT_EQ(ftp("eprt |1|192.0.2.9|5002|\r\n").found->port, 5002);
  EXPECT_EQ(ftp("227 at (1,2,3,4,0,7).", CtDirection::kReply).found->address.text(), "1.2.3.4");
  EXPECT_EQ(ftp("229 go (|||77|)", CtDirection::kReply).found->address, kClient);
}

TEST(FtpCommand, EachSideHasItsOwn) {
  EXPECT_FALSE(ftp("PORT 192,0,2,9,19,137\r\n", CtDirection::kReply).found);
  EXPECT_FALSE(ftp("229 (|||77|)").found);
}

TEST(FtpCommand, WhatMayGoOnIsPartial) {
  for (const char* line : {"P", "PORT", "port 1,2", "PORT 1,2,3,4,5,6", "EPRT |2|::1|5|", "eP"}) {
    EXPECT_TRUE(ftp(line).partial) << line;
  }
  for (const char* line : {"Q", "QUIT\r\n", "XPORT 1,2,3,4,5,6\r\n"}) {
    EXPECT_FALSE(ftp(line).partial) << line;
  }
}

TEST(FtpCommand, WritesTheWordsAnew) {
  EXPECT_EQ(ftp_words(FtpCommand::kPasv, kClient, 5001), "192,0,2,9,19,137");
  EXPECT_EQ(ftp_words(FtpCommand::kEprt, kClient, 5), "|1|192.0.2.9|5|");
  EXPECT_EQ(ftp_words(FtpCommand::kEpsv, kClient, 5), "|||5|");
  EXPECT_EQ(ftp_words(FtpCommand::kEprt, *Address::parse("2001:db8::9"), 5),
            "|2|2001:0db8:0000:0000:0000:0000:0000:0009|5|");
}

TEST(IrcDcc, NamesTheClientOrItsOutside) {
  const auto read = [](std::string_view line) {
    return read_dcc(Bytes(line.begin(), line.end()), 0xc0000209, 0xc6336407);
  };
  EXPECT_EQ(read("PRIVMSG bob :\001DCC SEND file 3221225993 5001 99\001\r\n")->port, 5001);
  EXPECT_EQ(read("PRIVMSG bob :\001DCC SEND file 3325256711 5001 99\001\r\n")->port, 5001);
  EXPECT_FALSE(read("PRIVMSG bob :\001DCC SEND file 3221225994 5001 99\001\r\n"));
  EXPECT_FALSE(read("PRIVMSG bob :\001DCC SEND file 3221225993 0 99\001\r\n"));
  EXPECT_FALSE(read("NOTICE bob :\001DCC SEND file 3221225993 5001 99\001\r\n"));
}

class Expectations : public testing::Test {
 protected:
  ConntrackEntryPtr master() {
    auto made = std::make_shared<ConntrackEntry>();
    made->status = ct_status::kConfirmed;
    return made;
  }
  Expectation to(const ConntrackEntryPtr& master, std::uint16_t port) {
    Expectation made;
    made.tuple.protocol = protocol::kTcp;
    made.tuple.source = 1;
    made.tuple.destination = 2;
    made.tuple.destination_key = port;
    made.master = master;
    return made;
  }
  static CtTuple packet(std::uint16_t port) {
    CtTuple tuple;
    tuple.protocol = protocol::kTcp;
    tuple.source = 1;
    tuple.destination = 2;
    tuple.source_key = 20;
    tuple.destination_key = port;
    return tuple;
  }
  ExpectationTable table_;
};

TEST_F(Expectations, TheFirstPacketTakesOne) {
  const auto owner = master();
  table_.add(to(owner, 7), 1, 0);
  EXPECT_FALSE(table_.take(packet(8), 0, 0));
  EXPECT_FALSE(table_.take(packet(7), 1, 0)) << "another zone";
  EXPECT_TRUE(table_.take(packet(7), 0, 0));
  EXPECT_FALSE(table_.take(packet(7), 0, 0));
}

TEST_F(Expectations, TheOldestOfAMasterGivesWay) {
  const auto owner = master();
  for (std::uint16_t port = 7; port < 10; ++port) table_.add(to(owner, port), 2, 0);
  EXPECT_FALSE(table_.take(packet(7), 0, 0));
  EXPECT_TRUE(table_.take(packet(8), 0, 0));
  EXPECT_TRUE(table_.take(packet(9), 0, 0));
}

TEST_F(Expectations, TwoMastersDoNotShareOne) {
  const auto one = master(), two = master();
  EXPECT_EQ(table_.add(to(one, 7), 1, 0), ExpectationTable::Added::kYes);
  EXPECT_EQ(table_.add(to(two, 7), 1, 0), ExpectationTable::Added::kBusy);
  EXPECT_EQ(table_.add(to(one, 7), 1, 0), ExpectationTable::Added::kYes) << "the same again";
}

TEST_F(Expectations, EndWithTheirTimeOrTheirMaster) {
  auto owner = master();
  table_.add(to(owner, 7), 1, 1000);
  EXPECT_EQ(table_.report(300'999).size(), 1U);
  EXPECT_EQ(table_.report(301'000).size(), 0U);
  owner->dying = true;
  EXPECT_EQ(table_.report(1000).size(), 0U);
}

TEST_F(Expectations, AMasterThatHasNotLeftYetHasToldNobody) {
  const auto owner = master();
  owner->status = 0;
  table_.add(to(owner, 7), 1, 0);
  EXPECT_FALSE(table_.take(packet(7), 0, 0));
}

TEST(Helper, SomeAreForIpv4Only) {
  const auto reads = [](std::string_view helper, Family family) {
    const std::string text =
        "*raw\n-A PREROUTING -p tcp -j CT --helper " + std::string(helper) + "\nCOMMIT\n";
    const auto bound = read_ruleset(std::make_shared<const SourceFile>("rules", text), family);
    return bound && bound->warnings.empty();
  };
  EXPECT_TRUE(reads("irc", Family::kIpv4));
  EXPECT_FALSE(reads("irc", Family::kIpv6));
  EXPECT_TRUE(reads("ftp", Family::kIpv6));
}

TEST(SequenceShift, CountsFromItsPositionOn) {
  const SequenceShift shift{.position = 100, .before = 0, .after = 3};
  EXPECT_EQ(shift.at(100), 0U);
  EXPECT_EQ(shift.at(101), 3U);
  EXPECT_EQ(shift.at(100 + 0x80000001), 0U);
}

}  // namespace
}  // namespace postern
