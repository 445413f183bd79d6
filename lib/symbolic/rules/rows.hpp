// Rules in a row that only judge packets: they change nothing and call nobody.
//
// Idea: what such a row does with a packet does not depend on the others that come by. So it is
// read once for every packet that there could be, and those that come to it are cut out of that:
// the cost of thousands of rules is that of their own conditions, not of what is sent to them, and
// walks of other paths find it done. Invariant: rows that are read from the same sets are the same.
// Covered by tests/unit/walk_test.cpp.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "flow/program.hpp"
#include "symbolic/rules/reader.hpp"
#include "symbolic/sets/outcome.hpp"

namespace postern {

struct Row {
  std::vector<Set> key;                 // all that its rules look at
  std::vector<Set> reaching, matching;  // by rule: who gets there, and who may match
  Outcomes out;
  Set rest = kNothing;  // who goes on behind the last rule
};

class Rows {
 public:
  explicit Rows(const Program& program);
  // How many rules from `first` on stand in one row, to the end of their chain at most. 0 too for
  // rows so short that they are not worth it.
  std::size_t length(RuleId first) const { return length_[first]; }
  // The row that begins at `first`, as `binding` reads it; `read` makes it where it is not known.
  const Row& find(RuleId first, Reader& reader, const Binding& binding,
                  const std::function<Row()>& read);

 private:
  std::vector<Set> key(RuleId first, Reader& reader, const Binding& binding) const;

  const Program& program_;
  std::vector<std::size_t> length_;  // by rule
  // By first rule: one for each way to read it (whose source is meant, which interfaces are seen).
  std::unordered_map<RuleId, std::vector<std::unique_ptr<Row>>> known_;
};

}  // namespace postern
