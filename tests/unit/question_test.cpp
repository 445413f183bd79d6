// Questions in words: what is read, which paths are asked, and where errors are.
#include "analyzer/question.hpp"

#include <gtest/gtest.h>

#include "query_fixture.hpp"

namespace postern {
namespace {

std::vector<Path> paths(const std::string& words) { return question_of(words).paths; }

TEST(Question, InterfacesDecideThePaths) {
  EXPECT_EQ(paths("connect -i lo -p tcp"), std::vector{Path::kLoopback});
  EXPECT_EQ(paths("connect -o lo -p tcp"), std::vector{Path::kLoopback});
  EXPECT_EQ(paths("connect -i eth0"), (std::vector{Path::kIn, Path::kForward}));
  EXPECT_EQ(paths("connect -o eth0"), std::vector{Path::kOut});
  EXPECT_EQ(paths("connect -i eth0 -o eth1"), std::vector{Path::kForward});
  EXPECT_EQ(paths("connect -p tcp").size(), 4U);
  EXPECT_EQ(paths("connect -i eth0 --path forward"), std::vector{Path::kForward});
}

TEST(Question, OwnOptionsAreTakenOut) {
  const Question q = question_of("track --entry-state syn_sent -i lo -p tcp --dport 1234");
  EXPECT_EQ(q.verb, Verb::kTrack);
  EXPECT_EQ(q.entry_state, "SYN_SENT");
  EXPECT_EQ(q.text, "track --entry-state syn_sent -i lo -p tcp --dport 1234");
  const Question f = question_of("connect --find sport,src --every dport -p tcp");
  EXPECT_EQ(f.find, (std::vector{Field::kSourcePort, Field::kSource}));
  EXPECT_EQ(f.every, std::vector{Field::kDestinationPort});
}

std::string first_error(const std::string& words, std::string* marked = nullptr) {
  const auto list = split_words(words);
  const auto q = read_question(list, Family::kIpv4);
  if (q) return "";
  if (marked != nullptr) *marked = joined_words(list)->slice(q.error().front().span);
  return q.error().front().message;
}

TEST(Question, ErrorsSayWhere) {
  std::string marked;
  EXPECT_EQ(first_error("conect -p tcp", &marked),
            "a question begins with deliver, connect or track");
  EXPECT_EQ(marked, "conect");
  EXPECT_EQ(first_error("connect -p tcp --find colour", &marked), "`colour` is no numeric field");
  EXPECT_EQ(marked, "colour");
  EXPECT_EQ(first_error("connect --path sideways", &marked), "`sideways` is no path");
  EXPECT_EQ(first_error("connect -i lo --path in"),
            "no packet on the path `in` has these interfaces");
  EXPECT_EQ(first_error("connect --find sport --every sport"),
            "`sport` stands under --find and under --every");
  EXPECT_NE(first_error("connect -m conntrack --ctstate NEW").find("may not name"),
            std::string::npos);
  EXPECT_EQ(first_error("deliver --entry-state ESTABLISHED", &marked),
            "--entry-state is only for `track`");
  EXPECT_EQ(marked, "ESTABLISHED");
  EXPECT_EQ(first_error("track --entry-state FOO", &marked),
            "`FOO` is no state of a conntrack entry");
  EXPECT_EQ(marked, "FOO");
}

TEST(Question, FamilyByItsWords) {
  EXPECT_EQ(family_of_words({"connect", "-s", "2001:db8::/32"}), Family::kIpv6);
  EXPECT_EQ(family_of_words({"connect", "-s", "192.0.2.1"}), Family::kIpv4);
  EXPECT_EQ(family_of_words({"connect", "-p", "icmpv6"}), Family::kIpv6);
  EXPECT_EQ(family_of_words({"connect", "--dport", "22"}), std::nullopt);
}

}  // namespace
}  // namespace postern
