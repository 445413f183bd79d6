// The options that belong to no extension: commands, -s -d -i -o -p -f, -m, -j, -g, -c
// (iptables(8), "PARAMETERS"). A table; what each does is in rule_reader.cpp. Covered by
// tests/unit/bind_test.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "net/family.hpp"

namespace postern {

enum class Builtin : std::uint8_t {
  kCommand,  // -A -I -N -P: handled; other commands: kForeignCommand
  kForeignCommand,
  kSource,
  kDestination,
  kInput,
  kOutput,
  kProtocol,
  kFragment,
  kMatch,
  kJump,
  kGoto,
  kCounters,
  kIpv4,
  kIpv6,
  kVerbose,    // accepted and without meaning
  kTable,      // refused inside a table
  kForbidden,  // refused in a rule: -n -x -w -h -V ...
};

struct BuiltinOption {
  char letter;                            // '\0': no short form
  std::array<std::string_view, 2> names;  // long forms with dashes; the second may be empty
  Builtin meaning;
  unsigned words;  // that follow; a command's optional ones not counted
  bool invertible = false;
};

std::span<const BuiltinOption> builtin_options();

}  // namespace postern
