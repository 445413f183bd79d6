// TTL and TOS as rules write and read them: classes that changes keep apart, and whole questions.
#include "symbolic/sets/rewriting.hpp"

#include <gtest/gtest.h>

#include "query_fixture.hpp"
#include "symbolic/sets/classes.hpp"
#include "tests/support/rewriting_cases.hpp"

namespace postern {
namespace {

class Rewriting : public ::testing::TestWithParam<RewritingCase> {};

TEST_P(Rewriting, IsFollowed) {
  const RewritingCase& one = GetParam();
  const LoadedRuleset rules(one.name, one.rules, one.family);
  const Answer answer = ask_one(rules, one.question);
  EXPECT_EQ(text(answer.truth), one.answer) << to_text(answer);
}

INSTANTIATE_TEST_SUITE_P(Cases, Rewriting, ::testing::ValuesIn(kRewritingCases),
                         [](const auto& row) { return std::string(row.param.name); });

// Each change leads a class into one class.
TEST(RewritingClasses, AreKeptTogether) {
  for (const RewritingCase& one : kRewritingCases) {
    const LoadedRuleset rules(one.name, one.rules, one.family);
    const Classes classes = compress(rules.program(), {});
    for (const auto& [field, of] :
         {std::pair{Field::kTtl, &classes.ttl}, std::pair{Field::kTos, &classes.tos}}) {
      const bool followed = field == Field::kTtl ? classes.follows_ttl : classes.follows_tos;
      if (!followed) continue;
      const auto changes = changes_of(rules.program(), field);
      EXPECT_FALSE(changes.empty());
      for (const Change& change : changes) {
        for (std::uint32_t a = 0; a < 255; ++a) {
          for (std::uint32_t b = a + 1; b < 256; ++b) {
            if (of->of(a) != of->of(b)) continue;
            ASSERT_EQ(of->of(change(a)), of->of(change(b))) << one.name << ' ' << a << ' ' << b;
          }
        }
      }
    }
  }
}

// Where nothing reads what is written nothing is followed.
TEST(RewritingClasses, AreFewWhereNobodyReads) {
  const LoadedRuleset rules(
      "x.rules", "*mangle\n:OUTPUT ACCEPT\n-A OUTPUT -j TOS --set-tos 0x10/0xff\nCOMMIT\n");
  const Classes classes = compress(rules.program(), {});
  EXPECT_FALSE(classes.follows_tos);
  EXPECT_FALSE(classes.follows_ttl);
}

}  // namespace
}  // namespace postern
