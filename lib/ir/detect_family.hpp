// IPv4 or IPv6, by what only one of them can say. Internal to lib/ir; covered by
// tests/unit/bind_test.cpp.
#pragma once

#include "net/family.hpp"
#include "syntax/ast.hpp"

namespace postern {

// The words of the rules decide (addresses, modules, ICMP types) when they all speak for one
// family; else the program that the first comment names; else IPv4.
Family detect_family(const ast::File& file);

}  // namespace postern
