// Entries of docs/fidelity.md that nothing else pins, as a user sees them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/support/run.hpp"

namespace postern::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(FidelityPins, AFlowToItselfLeavesByABoundSocket) {
  const Outcome wire =
      run_postern({"query", "--path", "out", corpus("notrack/test3.rules"), "--", "deliver", "-o",
                   "eth0", "-p", "udp", "-s", "192.0.2.1", "-d", "192.0.2.1"});
  EXPECT_EQ(wire.code, 3) << wire.out;
  EXPECT_THAT(wire.out, HasSubstr("whether a socket is bound to a wire"));
}

TEST(FidelityPins, ANoWithoutTrackingListsThatNothingElseSwitchesItOn) {
  const std::string text = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\nCOMMIT\n";
  const std::vector<std::string> line{"query", "-",  "--",  "deliver", "-i",
                                      "eth0",  "-p", "tcp", "--dport", "22"};
  EXPECT_THAT(run_postern(line, {.input = text}).out,
              HasSubstr("assuming nothing outside this ruleset switches connection tracking on"));
  const std::string tracked =
      "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n"
      "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\nCOMMIT\n";
  EXPECT_THAT(run_postern(line, {.input = tracked}).out, Not(HasSubstr("nothing outside")));
}

TEST(FidelityPins, AYesListsWhichAddressesItTookForLocal) {
  const std::string text = "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n";
  const Outcome outcome = run_postern({"query", "--path", "in", "-", "--", "connect", "-i", "eth0",
                                       "-p", "tcp", "-d", "198.51.100.7", "--dport", "22"},
                                      {.input = text});
  EXPECT_THAT(outcome.out, HasSubstr("assuming 198.51.100.7 is an address of this host"));
}

TEST(FidelityPins, AnIpv4PacketHasAtMost65535Bytes) {
  const std::string text =
      "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m length ! --length 0:65535 -j "
      "ACCEPT\nCOMMIT\n";
  const Outcome outcome = run_postern(
      {"query", "--path", "in", "-", "--", "deliver", "-i", "eth0", "-p", "tcp"}, {.input = text});
  EXPECT_THAT(outcome.out, HasSubstr("no: no such packet"));
}

}  // namespace
}  // namespace postern::test
