// A word as it must be written in a rule so that it is read back as it is. Internal to lib/ir;
// covered by tests/unit/print_test.cpp.
#pragma once

#include <string>
#include <string_view>

namespace postern {

// Bare where possible, as iptables-save prints names; in quotes when it is empty or holds blanks or
// quotes (iptables-save prints such names bare, and then cannot read them back).
std::string spell(std::string_view word);

}  // namespace postern
