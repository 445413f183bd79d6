// AST + vocabulary -> IR: typed options, meanings, chain references, one table per name.
// Unknown modules, options and targets are kept as opaque clauses, never dropped.
// Covered by tests/unit/bind_test.cpp.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "ir/ruleset.hpp"
#include "text/diagnostic.hpp"

namespace postern {

struct Bound {
  Ruleset ruleset;
  Diagnostics warnings;  // PST001 and the like: what was understood but should be known
};

// Parses and binds a whole file. `family` nullopt: by content (an IPv6 address, ip6tables header,
// icmp6/hl/... modules mean IPv6; otherwise IPv4). `backend` nullopt: nft where the header says so,
// otherwise legacy. Errors: all of them.
Result<Bound> read_ruleset(std::shared_ptr<const SourceFile> source,
                           std::optional<Family> family = std::nullopt,
                           std::optional<Backend> backend = std::nullopt);

// The words of a question ("-i lo -p tcp --sport 1234 ! --dport 1234"), as the clauses of a rule
// without target: they mean headers, whatever runs the ruleset. Spans refer to `source`, whose text
// is the words joined by blanks.
Result<std::vector<Clause>> read_match_words(std::shared_ptr<const SourceFile> source,
                                             Family family);

}  // namespace postern
