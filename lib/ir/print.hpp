// IR -> canonical iptables-save text, as `iptables-save` 1.8.9 prints it (without "# Generated").
// read_ruleset(print(x)) prints the same again. Covered by tests/unit/print_test.cpp.
#pragma once

#include <string>

#include "ir/ruleset.hpp"

namespace postern {

std::string print(const Ruleset& ruleset);
// "-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT"; no counters.
std::string print(const Rule& rule, std::string_view chain);

}  // namespace postern
