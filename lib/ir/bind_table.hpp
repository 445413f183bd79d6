// One "*table ... COMMIT" of the AST -> a Table: its chains first, then its rules. Internal to
// lib/ir; covered by tests/unit/bind_test.cpp.
#pragma once

#include <optional>

#include "ir/ruleset.hpp"
#include "syntax/ast.hpp"
#include "text/diagnostic.hpp"

namespace postern {

std::optional<TableName> table_name(std::string_view text);

// What could be bound, as `backend` runs it; errors and warnings are appended. `name` is the
// table's; `former`, or nullptr, is the same table as the text wrote it before: its rules go, but a
// policy stays until it is set again (measured with iptables-legacy-restore).
Table bind_table(const ast::File& file, const ast::Table& table, TableName name, Family family,
                 Backend backend, const Table* former, Diagnostics& errors, Diagnostics& warnings);

}  // namespace postern
