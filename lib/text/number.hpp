// Numbers as the iptables tools read them, wherever a text holds one. Covered by
// tests/unit/vocabulary_test.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace postern {

// One number as strtoul with base 0 reads it (decimal, 0x, leading 0 octal), without sign or
// blanks.
std::optional<std::uint64_t> read_number(std::string_view text);

}  // namespace postern
