// What tests of answers share: rulesets with a nat table around few rules, and questions with the
// answers that are true. Every yes is replayed, every no re-checked by Z3.
#pragma once

#include <string>

#include "query_fixture.hpp"

namespace postern {

// Chains of nat that accept, with these rules; `filter` is the whole of that table.
inline LoadedRuleset nat_and_filter(const std::string& nat, const std::string& filter) {
  return LoadedRuleset("nat.rules",
                       "*nat\n:PREROUTING ACCEPT\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n:POSTROUTING "
                       "ACCEPT\n" +
                           nat + "COMMIT\n*filter\n" + filter + "COMMIT\n");
}

inline Answer expect_answer(const LoadedRuleset& rules, Truth truth, const std::string& question,
                            const QueryOptions& options = {}) {
  Answer a = ask_one(rules, question, options);
  EXPECT_EQ(a.truth, truth) << to_text(a);
  if (a.truth == Truth::kNo) {
    EXPECT_TRUE(a.completeness && a.completeness->certified) << question;
  } else if (a.truth == Truth::kYes) {
    EXPECT_TRUE(a.replayed) << question;
  }
  return a;
}

}  // namespace postern
