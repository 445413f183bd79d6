// Linting texts, for the tests of single checks.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/lint.hpp"
#include "ir/bind.hpp"

namespace postern {

// A bound ruleset that keeps what its parts refer to.
inline Bound bound_text(const std::string& text, std::optional<Family> family = std::nullopt) {
  auto bound = read_ruleset(std::make_shared<const SourceFile>("x.rules", text), family);
  if (!bound) throw std::runtime_error(bound.error().front().message);
  return std::move(*bound);
}

// The filter table with these rules; policies of INPUT, FORWARD and OUTPUT.
inline std::string filter_table(const std::string& rules, const std::string& input = "DROP",
                                const std::string& forward = "DROP",
                                const std::string& output = "ACCEPT") {
  return "*filter\n:INPUT " + input + " [0:0]\n:FORWARD " + forward + " [0:0]\n:OUTPUT " + output +
         " [0:0]\n" + rules + "COMMIT\n";
}

struct Linted {
  explicit Linted(const std::string& text, std::optional<Family> family = std::nullopt)
      : bound(bound_text(text, family)), report(lint(bound)) {}

  std::vector<Finding> of(std::string_view id) const {
    std::vector<Finding> list;
    for (const Finding& finding : report.findings) {
      if (finding.id == id) list.push_back(finding);
    }
    return list;
  }
  bool open(std::string_view id) const {
    return std::ranges::any_of(report.open, [&](const OpenQuestion& q) { return q.id == id; });
  }

  Bound bound;
  LintReport report;
};

}  // namespace postern
