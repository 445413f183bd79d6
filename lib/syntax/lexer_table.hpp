// The lexer of grammar/IptablesSaveLexer.g4 as a table: ANTLR's own simulator computes, once, the
// deterministic automaton of every mode over the 256 bytes, and scanning then is one look-up a
// byte. (The runtime's own loop takes a hash look-up and a lock for each character, 9 MB/s a core,
// and the lock is shared by all threads.)
//
// Bytes stand for themselves: the text need not be UTF-8. Only the lexer commands `skip`, `type`
// and `mode` are understood; the constructor checks that. Covered by
// tests/unit/syntax_lexer_test.cpp, which compares it with ANTLR's lexer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace postern {

struct Lexeme {
  std::size_t type = 0;  // IptablesSaveLexer's
  std::uint32_t begin = 0, end = 0;
};

class LexerTable {
 public:
  // Built on first use, then shared by all threads.
  static const LexerTable& instance();

  // Appends the lexemes of one line, starting in `mode`. Returns the place of the first byte where
  // no token begins, or nullopt.
  std::optional<std::uint32_t> scan(std::string_view line, std::size_t mode,
                                    std::vector<Lexeme>& out) const;

 private:
  LexerTable();
  friend class LexerTableBuilder;

  static constexpr std::uint16_t kNone = 0xffff;
  struct State {
    std::array<std::uint16_t, 256> next;
    std::size_t type = 0;  // 0: not accepting
    bool skip = false;
    std::optional<std::size_t> mode;
  };
  std::vector<State> states_;
  std::vector<std::uint16_t> starts_;  // by mode
};

}  // namespace postern
