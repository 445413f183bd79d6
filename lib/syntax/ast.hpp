// The AST of an iptables-save text: tables, chain lines and rules as words, each with its place.
// Nothing is interpreted here: which words are an option's values, only the vocabulary knows.
//
// Invariants: words of one rule are contiguous in File::words; every Span lies in File::source.
// Covered by tests/unit/syntax_parse_test.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "text/source.hpp"

namespace postern::ast {

enum class WordKind : std::uint8_t {
  kNot,      // "!"
  kCommand,  // "-A", "--append"; also where such a word stands as a value
  kOption,   // anything else that starts with '-'
  kPlain,
  kQuoted,  // has a quoted part: its text is not its spelling
};

struct Word {
  Span span;
  WordKind kind = WordKind::kPlain;
};

struct Counters {
  std::uint64_t packets = 0, bytes = 0;
};

// ":INPUT ACCEPT [0:0]"
struct ChainLine {
  Span span;
  Span name;
  Span policy;
  std::optional<Counters> counters;
};

// "[0:0] -A INPUT -s 192.0.2.1 -j DROP": the words, the command's included.
struct RuleLine {
  Span span;
  std::optional<Counters> counters;
  std::uint32_t first_word = 0, word_count = 0;
};

using Line = std::variant<ChainLine, RuleLine>;

struct Table {
  Span span;  // of its "*name" line
  Span name;
  std::vector<Line> lines;
};

struct File {
  std::shared_ptr<const SourceFile> source;
  std::vector<Table> tables;  // in order of the text; a name may occur twice
  std::vector<Word> words;

  std::span<const Word> words_of(const RuleLine& rule) const {
    return std::span(words).subspan(rule.first_word, rule.word_count);
  }
};

// The word as iptables-restore hands it on: quotes off, escapes between quotes resolved.
std::string unquote(std::string_view spelling);

}  // namespace postern::ast
