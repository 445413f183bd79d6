// No protocol is unknown where the engine knows it: each of them, with and without NAT, asked every
// kind of question. Every yes has replayed.
#include <map>
#include <string>
#include <vector>

#include "query_fixture.hpp"

namespace postern {
namespace {

const std::string kFilter =
    "*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT DROP\n"
    "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
    "-A FORWARD -i eth0 -m conntrack --ctstate NEW -j ACCEPT\nCOMMIT\n";

std::string with(const std::string& rule) {
  return "*nat\n:PREROUTING ACCEPT\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n:POSTROUTING ACCEPT\n" + rule +
         "COMMIT\n" + kFilter;
}

struct Setting {
  const char* name;
  std::string rules;
  const char* to;
};

// UDP-Lite's checksums are held against UDP's (kernel-facts 25): what honest ends send is INVALID.
Truth wanted(const std::string& verb, const std::string& protocol) {
  return verb == "connect" && protocol == "udplite" ? Truth::kNo : Truth::kYes;
}

TEST(ProtocolSets, NoneIsUnknown) {
  const std::vector<Setting> settings{
      {"no NAT", kFilter, "198.51.100.9"},
      {"SNAT", with("-A POSTROUTING -o eth1 -j SNAT --to-source 198.51.100.1\n"), "198.51.100.9"},
      {"MASQUERADE", with("-A POSTROUTING -o eth1 -j MASQUERADE\n"), "198.51.100.9"},
      {"DNAT", with("-A PREROUTING -i eth0 -d 192.0.2.1 -j DNAT --to-destination 198.51.100.9\n"),
       "192.0.2.1"},
  };
  for (const Setting& setting : settings) {
    const LoadedRuleset rules(setting.name, setting.rules);
    for (const std::string protocol :
         {"tcp", "udp", "udplite", "sctp", "dccp", "icmp", "gre", "esp", "ah", "253"}) {
      for (const std::string verb : {"deliver", "connect", "track"}) {
        const std::string question = verb + " --path forward -i eth0 -o eth1 -s 192.0.2.9 -d " +
                                     setting.to + " -p " + protocol;
        SCOPED_TRACE(std::string(setting.name) + ": " + question);
        const Answer a = ask_one(rules, question);
        EXPECT_EQ(a.truth, wanted(verb, protocol)) << to_text(a);
        EXPECT_FALSE(a.conditional) << to_text(a);
      }
    }
  }
}

// ... and where nothing gets through.
TEST(ProtocolSets, NoneIsUnknownWhereOnlyAnswersPass) {
  const std::string closed =
      "*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT DROP\n"
      "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\nCOMMIT\n";
  for (const std::string nat : {"", "-A POSTROUTING -o eth1 -j MASQUERADE\n"}) {
    const LoadedRuleset rules("closed",
                              nat.empty() ? closed : "*nat\n" + nat + "COMMIT\n" + closed);
    for (const std::string protocol :
         {"tcp", "udp", "udplite", "sctp", "dccp", "icmp", "gre", "esp", "253"}) {
      for (const std::string verb : {"deliver", "connect"}) {
        const std::string question =
            verb + " --path forward -i eth0 -o eth1 -s 192.0.2.9 -d 198.51.100.9 -p " + protocol +
            (protocol == "icmp" ? " --icmp-type echo-request" : "");
        SCOPED_TRACE(nat + question);
        const Answer a = ask_one(rules, question);
        EXPECT_EQ(a.truth, Truth::kNo) << to_text(a);
        EXPECT_TRUE(a.completeness && a.completeness->certified) << to_text(a);
      }
    }
  }
}

}  // namespace
}  // namespace postern
