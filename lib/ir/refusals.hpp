// What `iptables-restore --test` takes and the kernel refuses, for the rules of one table: an
// extension in the wrong table, without its protocol, or in a chain that a wrong hook reaches
// (check PST002). A user chain's hooks are known only once the whole table is read.
// Internal to lib/ir; covered by tests/unit/bind_test.cpp, tests/kernel/vocabulary_test.cpp.
#pragma once

#include <optional>
#include <vector>

#include "ir/draft.hpp"

namespace postern {

class Refusals {
 public:
  Refusals(TableName table, Family family, Backend backend)
      : table_(table), family_(family), backend_(backend) {}

  // Every known extension of a rule that bound; `chain` is an index into Table::chains.
  void add(const Draft& draft, std::size_t chain);
  // One warning for each extension that the kernel refuses where it stands.
  void report(const Table& table, Diagnostics& warnings) const;

 private:
  struct Pending {
    std::size_t chain = 0;
    Extension extension;
    std::optional<Given<std::uint8_t>> protocol;
  };
  void consider(const Draft& draft, const Extension& extension, std::size_t chain);

  TableName table_;
  Family family_;
  Backend backend_;
  std::vector<Pending> pending_;
};

}  // namespace postern
