// `-m socket` and TPROXY put fragments together where nobody tracks connections (measured on Linux:
// EngineCase rows FragmentsOfSocket, FragmentsOfTproxy6).
#include "flow/defragmentation.hpp"

#include <gtest/gtest.h>

#include "query_fixture.hpp"

namespace postern {
namespace {

struct Place {
  const char* name;
  const char* rules;
  bool together;
};

const Place kPlaces[] = {
    {"Socket", "*mangle\n-A PREROUTING -m socket\nCOMMIT\n", true},
    {"SocketBehindAnother", "*mangle\n-A INPUT -p tcp -m socket --transparent\nCOMMIT\n", true},
    {"OfAnyTable", "*filter\n-A INPUT -m socket\nCOMMIT\n", true},
    {"OfAChainThatNobodyCalls", "*mangle\n:U -\n-A U -m socket\nCOMMIT\n", true},
    {"Tproxy", "*mangle\n-A PREROUTING -p tcp -j TPROXY --on-port 80\nCOMMIT\n", true},
    {"NoneOfThem",
     "*mangle\n:socket -\n-A PREROUTING -m addrtype --dst-type LOCAL -j socket\nCOMMIT\n", false},
};

class Defragmentation : public ::testing::TestWithParam<Place> {};

TEST_P(Defragmentation, IsSwitchedOn) {
  const Place& place = GetParam();
  const LoadedRuleset rules(place.name, place.rules, Family::kIpv4);
  EXPECT_EQ(puts_fragments_together(rules.program()), place.together);
  EXPECT_FALSE(rules.program().tracks());
}

INSTANTIATE_TEST_SUITE_P(By, Defragmentation, ::testing::ValuesIn(kPlaces),
                         [](const auto& row) { return std::string(row.param.name); });

struct Row {
  const char* name;
  const char* rules;
  const char* question;
  Truth truth;
};

const Row kRows[] = {
    {"NoPieceIsForwarded",
     "*mangle\n-A PREROUTING -p tcp --dport 80 -j TPROXY --on-port 3129\nCOMMIT\n"
     "*filter\n:FORWARD DROP\n-A FORWARD -p udp -f -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 -p udp --path forward", Truth::kNo},
    {"ItIsWithoutThem", "*filter\n:FORWARD DROP\n-A FORWARD -p udp -f -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 -p udp --path forward", Truth::kYes},
    {"RawSeesTheWhole",
     "*raw\n-A PREROUTING -m length --length 100:65535 -j DROP\nCOMMIT\n"
     "*mangle\n:U -\n-A U -m socket\nCOMMIT\n"
     "*filter\n:INPUT DROP\n-A INPUT -p udp -m length --length 101:65535 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -p udp --path in", Truth::kNo},
    // What is cut short and no fragment stays so.
    {"AHeaderIsCutAllTheSame",
     "*mangle\n:U -\n-A U -m socket\nCOMMIT\n"
     "*filter\n:FORWARD DROP\n-A FORWARD -p udp -m length --length 20:27 -j ACCEPT\nCOMMIT\n",
     "deliver -i eth0 -o eth1 -p udp --path forward", Truth::kYes},
};

class Defragmented : public ::testing::TestWithParam<Row> {};

TEST_P(Defragmented, AnswersAsLinuxDoes) {
  const Row& row = GetParam();
  const LoadedRuleset rules(row.name, row.rules, Family::kIpv4);
  const Answer a = ask_one(rules, row.question);
  EXPECT_EQ(a.truth, row.truth) << to_text(a);
}

INSTANTIATE_TEST_SUITE_P(Of, Defragmented, ::testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace postern
