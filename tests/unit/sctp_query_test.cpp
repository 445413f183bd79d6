// SCTP in questions: associations between honest ends, packets and entries that any chunks and tags
// bring about, with and without NAT. Every yes has replayed, every no is re-checked by Z3.
#include <string>
#include <vector>

#include "net/protocol.hpp"
#include "query_fixture.hpp"

namespace postern {
namespace {

struct Row {
  const char* name;
  std::string rules;
  const char* question;
  Truth truth;
};

std::string filter(const std::string& rules) {
  return "*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT DROP\n" + rules + "COMMIT\n";
}
std::string raw(const std::string& rules) {
  return "*raw\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n" + rules + "COMMIT\n";
}
std::string nat(const std::string& rules) {
  return "*nat\n:PREROUTING ACCEPT\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n:POSTROUTING ACCEPT\n" + rules +
         "COMMIT\n";
}

const std::string kAnswers = "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n";
const std::string kNew = "-A FORWARD -i eth0 -m conntrack --ctstate NEW -j ACCEPT\n";
const std::string kRouter = filter(kAnswers + kNew);

std::vector<Row> rows() {
  const char* talk = "connect -i eth0 -o eth1 -p sctp --path forward";
  const char* port = "connect -i eth0 -o eth1 -p sctp --dport 80 --path forward";
  const char* server = "connect -i eth0 -p sctp --dport 80 --path in";
  const char* closed = "deliver -i eth0 -o eth1 -p sctp --dport 81 --path forward";
  return {
      {"an association", kRouter, talk, Truth::kYes},
      {"answers are dropped", filter(kNew), talk, Truth::kNo},
      {"... those of the far end", filter(kNew + "-A FORWARD -i eth0 -j ACCEPT\n"), talk,
       Truth::kNo},
      {"only established", filter(kAnswers), talk, Truth::kNo},
      {"only established, any packet", filter(kAnswers), closed, Truth::kNo},
      {"another port", filter(kAnswers + "-A FORWARD -p sctp --dport 80 -j ACCEPT\n"), port,
       Truth::kYes},
      {"... is closed", filter(kAnswers + "-A FORWARD -p sctp --dport 80 -j ACCEPT\n"), closed,
       Truth::kNo},
      {"INIT ACK is not tracked",
       raw("-A PREROUTING -i eth1 -p sctp -j NOTRACK\n") +
           filter(kAnswers + kNew +
                  "-A FORWARD -m conntrack --ctstate UNTRACKED -j "
                  "ACCEPT\n"),
       talk, Truth::kNo},
      {"... and INVALID passes",
       raw("-A PREROUTING -i eth1 -p sctp -j NOTRACK\n") +
           filter(kAnswers + kNew +
                  "-A FORWARD -m conntrack --ctstate "
                  "UNTRACKED,INVALID -j ACCEPT\n"),
       talk, Truth::kYes},
      {"INIT is not tracked",
       raw("-A PREROUTING -i eth0 -p sctp -j NOTRACK\n") +
           filter(kAnswers + kNew +
                  "-A FORWARD -m conntrack --ctstate UNTRACKED -j "
                  "ACCEPT\n"),
       talk, Truth::kNo},
      {"a server",
       filter("-A INPUT -p sctp --dport 80 -j ACCEPT\n"
              "-A OUTPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"),
       server, Truth::kYes},
      {"over lo",
       filter("-A INPUT -p sctp --dport 80 -j ACCEPT\n-A OUTPUT -o lo -j ACCEPT\n"
              "-A INPUT -i lo -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"),
       "connect -i lo -p sctp --dport 80", Truth::kYes},
      {"over lo, no answers",
       filter("-A INPUT -p sctp --dport 80 -j ACCEPT\n-A OUTPUT -o lo -j ACCEPT\n"),
       "connect -i lo -p sctp --sport 4000 --dport 80", Truth::kNo},
      {"behind MASQUERADE", nat("-A POSTROUTING -o eth1 -j MASQUERADE\n") + kRouter, talk,
       Truth::kYes},
      {"behind MASQUERADE, no answers",
       nat("-A POSTROUTING -o eth1 -j MASQUERADE\n") + filter(kNew), talk, Truth::kNo},
      {"SNAT to ports",
       nat("-A POSTROUTING -o eth1 -p sctp -j SNAT --to-source 198.51.100.1:5000-5009\n") + kRouter,
       talk, Truth::kYes},
      {"DNAT to a port",
       nat("-A PREROUTING -i eth0 -p sctp -m sctp --dport 80 -j DNAT --to-destination "
           "198.51.100.9:81\n") +
           filter(kAnswers + "-A FORWARD -p sctp --dport 81 -d 198.51.100.9 -j ACCEPT\n"),
       "connect -i eth0 -o eth1 -p sctp -d 192.0.2.1 --dport 80 --path forward", Truth::kYes},
      {"... another way is closed",
       nat("-A PREROUTING -i eth0 -p sctp -m sctp --dport 80 -j DNAT --to-destination "
           "198.51.100.9:81\n") +
           filter(kAnswers + "-A FORWARD -p sctp --dport 81 -d 198.51.100.9 -j ACCEPT\n"),
       "connect -i eth0 -o eth1 -p sctp -d 198.51.100.9 --dport 82 --path forward", Truth::kNo},
      {"REDIRECT",
       nat("-A PREROUTING -i eth0 -p sctp -m sctp --dport 79 -j REDIRECT --to-ports 80\n") +
           filter("-A INPUT -p sctp --dport 80 -j ACCEPT\n"
                  "-A OUTPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"),
       "connect -i eth0 -p sctp --dport 79 --path in", Truth::kYes},
      {"REDIRECT elsewhere",
       nat("-A PREROUTING -i eth0 -p sctp -m sctp --dport 79 -j REDIRECT --to-ports 81\n") +
           filter("-A INPUT -p sctp --dport 80 -j ACCEPT\n"
                  "-A OUTPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"),
       "connect -i eth0 -p sctp --dport 79 --path in", Truth::kNo},
  };
}

void expect(const Row& row) {
  SCOPED_TRACE(row.name);
  const LoadedRuleset rules(row.name, row.rules);
  const Answer a = ask_one(rules, row.question);
  EXPECT_EQ(a.truth, row.truth) << to_text(a);
  EXPECT_FALSE(a.conditional) << to_text(a);
  if (a.truth == Truth::kNo) {
    EXPECT_TRUE(a.completeness && a.completeness->certified) << to_text(a);
  }
}

TEST(SctpQuery, Conversations) {
  for (const Row& row : rows()) expect(row);
}

// Which states an entry can come to, by who is heard.
TEST(SctpQuery, EntryStates) {
  const std::string track =
      "track -i eth0 -o eth1 -p sctp -s 192.0.2.9 -d 198.51.100.9 --path forward --entry-state ";
  const std::string deaf = raw("-A PREROUTING -i eth1 -j DROP\n") + kRouter;
  const std::string masked = nat("-A POSTROUTING -o eth1 -j MASQUERADE\n") + kRouter;
  const std::vector<std::pair<const char*, bool>> states{
      {"CLOSED", true},         {"COOKIE_WAIT", true},      {"COOKIE_ECHOED", true},
      {"ESTABLISHED", true},    {"SHUTDOWN_SENT", true},    {"SHUTDOWN_RECD", false},
      {"HEARTBEAT_SENT", true}, {"SHUTDOWN_ACK_SENT", true}};
  for (const auto& [state, alone] : states) {
    const std::string question = track + state;
    expect({state, kRouter, question.c_str(), Truth::kYes});
    expect({state, masked, question.c_str(), Truth::kYes});
    // HEARTBEAT, INIT, COOKIE ECHO and COOKIE ACK of one end alone come to ESTABLISHED.
    expect({state, deaf, question.c_str(), alone ? Truth::kYes : Truth::kNo});
  }
  const std::string of_tcp = track + "SYN_SENT";
  expect({"TCP's states", kRouter, of_tcp.c_str(), Truth::kNo});
}

// The witness is an association as RFC 9260 has it.
TEST(SctpQuery, TheWitnessIsAnAssociation) {
  const LoadedRuleset rules("router", kRouter);
  const Answer a = ask_one(rules, "connect -i eth0 -o eth1 -p sctp --path forward");
  ASSERT_EQ(a.witness.size(), 6U) << to_text(a);
  const std::vector<std::uint8_t> chunks{1, 2, 10, 11, 0, 0};
  for (std::size_t k = 0; k < chunks.size(); ++k) {
    EXPECT_EQ(a.witness[k].packet.chunks[0], chunks[k]);
    const std::uint32_t tag = k == 0 ? 0 : k % 2 == 0 ? 5000 : 1000;
    EXPECT_EQ(a.witness[k].packet.verification_tag, tag) << k;
  }
  EXPECT_EQ(a.witness.back().entries.front().state, "ESTABLISHED");
}

TEST(SctpQuery, LengthsAreThoseOfChunks) {
  const LoadedRuleset rules("long", filter("-A FORWARD -i eth0 -m length --length 99 -j ACCEPT\n"));
  const Answer a =
      ask_one(rules, "deliver -i eth0 -o eth1 -p sctp -m length --length 99 --path forward");
  ASSERT_EQ(a.truth, Truth::kYes) << to_text(a);
  EXPECT_EQ(a.witness.back().packet.chunks.size(), 99U - 20 - 12);
}

// Rules that look at chunks leave a choice, and nothing else open.
TEST(SctpQuery, ChunkTypesAreChoices) {
  const LoadedRuleset rules(
      "chunks", filter(kAnswers + "-A FORWARD -p sctp --chunk-types any INIT -j ACCEPT\n"));
  const Answer a = ask_one(rules, "connect -i eth0 -o eth1 -p sctp --path forward");
  EXPECT_EQ(a.truth, Truth::kYes) << to_text(a);
  EXPECT_TRUE(a.conditional);
}

}  // namespace
}  // namespace postern
