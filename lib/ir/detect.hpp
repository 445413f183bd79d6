// What a file does not say outright: IPv4 or IPv6, by what only one of them can say, and whether
// iptables-nft wrote it. Internal to lib/ir; covered by
// tests/unit/bind_test.cpp.
#pragma once

#include "ir/ruleset.hpp"
#include "syntax/ast.hpp"

namespace postern {

// The words of the rules decide (addresses, modules, ICMP types) when they all speak for one
// family; else the program that the first comment names; else IPv4.
Family detect_family(const ast::File& file);

// nft where the first comment says so: "(nf_tables)", which 1.8.8 and later write, or xtables-save.
// (What 1.8.4 to 1.8.7 wrote shows nothing.)
Backend detect_backend(const SourceFile& source);

}  // namespace postern
