// What tests of answers share: rulesets with a nat table around few rules, and questions with the
// answers that are true. Every yes is replayed, every no re-checked by Z3.
#pragma once

#include <algorithm>
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

// The text of both tables; filter drops what comes in and lets out what this host sends.
inline std::string raw_and_filter(const std::string& raw, const std::string& filter) {
  return "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n" + raw +
         "COMMIT\n*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n" +
         filter + "COMMIT\n";
}

// Does the witness begin with a flow that announces this one to a helper?
inline bool has_master(const Answer& a) {
  return std::ranges::any_of(a.witness, &WitnessStep::of_master);
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
