#include "syntax/line_parser.hpp"

#include <IptablesSaveLexer.h>
#include <IptablesSaveParser.h>

#include <charconv>

#include "syntax/lexer_table.hpp"
#include "syntax/line_tokens.hpp"

namespace postern {
namespace {

using Lexer = grammar::IptablesSaveLexer;
using Parser = grammar::IptablesSaveParser;

// iptables-restore reads 10239 bytes of a line and takes the rest for another line.
constexpr std::size_t kLongestLine = 10238;
constexpr std::size_t kMostWords = 253;  // its argv holds 255, the program and the table included
constexpr std::size_t kLongestWord = 1023;
constexpr std::size_t kDefaultMode = 0;

Diagnostic error(Span span, std::string message, std::string help) {
  return {Severity::kError, "syntax", span, std::move(message), std::move(help), {}};
}

std::optional<ast::Counters> read_counters(std::string_view text) {
  ast::Counters counters;
  const char* const stop = text.data() + text.size() - 1;  // the ']'
  const auto packets = std::from_chars(text.data() + 1, stop, counters.packets);
  if (packets.ec != std::errc{} || packets.ptr == stop || *packets.ptr != ':') return std::nullopt;
  const auto bytes = std::from_chars(packets.ptr + 1, stop, counters.bytes);
  if (bytes.ec != std::errc{} || bytes.ptr != stop) return std::nullopt;
  return counters;
}

// What is wrong with bytes that never make a token, found before any token is read.
std::optional<Diagnostic> check_bytes(std::string_view line, std::uint32_t offset) {
  if (const std::size_t nul = line.find('\0'); nul != std::string_view::npos) {
    const auto at = offset + static_cast<std::uint32_t>(nul);
    return error({at, at + 1}, "a NUL byte",
                 "iptables-restore ignores the rest of such a line: remove the byte");
  }
  if (line.size() > kLongestLine) {
    return error({offset, offset}, "the line is longer than 10238 bytes",
                 "iptables-restore would read its end as another line: split it");
  }
  return std::nullopt;
}

std::string describe(std::string_view text) {
  constexpr std::size_t kShown = 40;
  if (text.size() <= kShown) return "\"" + std::string(text) + "\"";
  return "\"" + std::string(text.substr(0, kShown)) + "...\"";
}

}  // namespace

struct LineParser::Antlr {
  LineTokens tokens;
  Parser parser{&tokens};
  std::vector<Lexeme> lexemes;

  Antlr() {
    parser.removeErrorListeners();
    parser.setBuildParseTree(false);
    parser.setErrorHandler(std::make_shared<antlr4::BailErrorStrategy>());
    parser.getInterpreter<antlr4::atn::ParserATNSimulator>()->setPredictionMode(
        antlr4::atn::PredictionMode::SLL);
  }

  // The shape of the line, or nullptr when it has none; then `tokens` stands at the culprit.
  Parser::LineContext* shape(std::uint32_t line_size) {
    tokens.assign(lexemes, line_size);
    parser.reset();
    try {
      return parser.line();
    } catch (const antlr4::ParseCancellationException&) {
      return nullptr;
    }
  }
};

LineParser::LineParser() : antlr_(std::make_unique<Antlr>()) {}
LineParser::~LineParser() = default;
LineParser::LineParser(LineParser&&) noexcept = default;

namespace {

Span place(const Lexeme& lexeme, std::uint32_t offset) {
  return {offset + lexeme.begin, offset + lexeme.end};
}

Span place(const antlr4::Token& token, std::uint32_t offset) {
  return place(static_cast<const LineToken&>(token).lexeme, offset);
}

std::optional<ast::Counters> counters_of(const antlr4::Token* token, std::string_view line) {
  if (token == nullptr) return std::nullopt;
  const Lexeme& lexeme = static_cast<const LineToken*>(token)->lexeme;
  return read_counters(line.substr(lexeme.begin, lexeme.end - lexeme.begin));
}

ast::WordKind kind_of(const Lexeme& lexeme, std::string_view line) {
  switch (lexeme.type) {
    case Lexer::NOT:
      return ast::WordKind::kNot;
    case Lexer::COMMAND:
      return ast::WordKind::kCommand;
    case Lexer::OPTION:
      return ast::WordKind::kOption;
    default:
      break;
  }
  const std::string_view text = line.substr(lexeme.begin, lexeme.end - lexeme.begin);
  const bool quoted = text.find('"') != std::string_view::npos;
  return quoted ? ast::WordKind::kQuoted : ast::WordKind::kPlain;
}

// Every word of a line, counters left out; false when one cannot be a word.
bool collect_words(std::span<const Lexeme> lexemes, std::string_view line, std::uint32_t offset,
                   std::vector<ast::Word>& words, Diagnostics& errors) {
  std::size_t count = 0;
  for (const Lexeme& lexeme : lexemes) {
    if (lexeme.type == Lexer::COUNTERS) continue;
    const Span span = place(lexeme, offset);
    if (++count > kMostWords) {
      errors.push_back(error(span, "more than 253 words in a rule",
                             "iptables-restore takes no more: split the rule"));
      return false;
    }
    if (lexeme.end - lexeme.begin > 2 * kLongestWord) {
      errors.push_back(
          error(span, "a word of more than 1023 bytes", "iptables-restore takes no longer words"));
      return false;
    }
    words.push_back({span, kind_of(lexeme, line)});
  }
  return true;
}

Diagnostic unclosed(const Lexeme& lexeme, std::uint32_t offset) {
  return error(place(lexeme, offset), "this quote is never closed",
               "put a closing \" at the word's end");
}

// Why the parser stopped at this token.
Diagnostic unexpected(const Lexeme& lexeme, std::string_view line, std::uint32_t offset,
                      std::size_t first_type) {
  const Span span = place(lexeme, offset);
  if (lexeme.type == Lexer::UNCLOSED) return unclosed(lexeme, offset);
  const bool at_end = lexeme.type == antlr4::Token::EOF;
  const auto text =
      line.substr(std::min<std::size_t>(lexeme.begin, line.size()), lexeme.end - lexeme.begin);
  if (first_type == Lexer::TABLE) {
    return error(span, "a table name is missing", "write, for instance, *filter");
  }
  if (first_type == Lexer::CHAIN) {
    return error(span, "a chain line needs a name and a policy",
                 "write :NAME ACCEPT, :NAME DROP, or :NAME - for a chain of your own");
  }
  if (at_end) {
    return error(span, "the rule names no chain", "begin it with -A CHAIN");
  }
  return error(span, "unexpected " + describe(text),
               "a line is *table, :CHAIN POLICY, -A CHAIN ..., COMMIT or a # comment");
}

FlatLine flatten(const Parser::LineContext& shape, std::string_view line, std::uint32_t offset) {
  const Span whole{offset, offset + static_cast<std::uint32_t>(line.size())};
  if (shape.table != nullptr) return TableLine{whole, place(*shape.table->name, offset)};
  if (shape.commit != nullptr) return CommitLine{whole};
  if (shape.chain != nullptr) {
    return ast::ChainLine{whole, place(*shape.chain->name, offset),
                          place(*shape.chain->policy, offset),
                          counters_of(shape.chain->counters, line)};
  }
  if (shape.rule_ != nullptr) {
    return ast::RuleLine{whole, counters_of(shape.rule_->counters, line), 0, 0};
  }
  return BlankLine{};
}

}  // namespace

std::optional<FlatLine> LineParser::parse(std::string_view line, std::uint32_t offset,
                                          std::vector<ast::Word>& words, Diagnostics& errors) {
  if (line.empty()) return BlankLine{};
  if (auto trouble = check_bytes(line, offset)) {
    errors.push_back(std::move(*trouble));
    return std::nullopt;
  }
  antlr_->lexemes.clear();
  if (const auto at = LexerTable::instance().scan(line, kDefaultMode, antlr_->lexemes)) {
    errors.push_back(error({offset + *at, offset + *at + 1},
                           "unexpected " + describe(line.substr(*at, 1)),
                           line[*at] == '[' ? "counters are written [packets:bytes]" : ""));
    return std::nullopt;
  }
  const auto size = static_cast<std::uint32_t>(line.size());
  const Parser::LineContext* shape = antlr_->shape(size);
  if (shape == nullptr) {
    const auto& culprit = static_cast<const LineToken&>(*antlr_->tokens.LT(1));
    errors.push_back(unexpected(culprit.lexeme, line, offset, antlr_->lexemes.front().type));
    return std::nullopt;
  }
  FlatLine flat = flatten(*shape, line, offset);
  if (auto* rule = std::get_if<ast::RuleLine>(&flat)) {
    rule->first_word = static_cast<std::uint32_t>(words.size());
    if (!collect_words(antlr_->lexemes, line, offset, words, errors)) {
      words.resize(rule->first_word);
      return std::nullopt;
    }
    rule->word_count = static_cast<std::uint32_t>(words.size()) - rule->first_word;
  }
  return flat;
}

bool LineParser::parse_words(std::string_view line, std::vector<ast::Word>& words,
                             Diagnostics& errors) {
  if (auto trouble = check_bytes(line, 0)) {
    errors.push_back(std::move(*trouble));
    return false;
  }
  antlr_->lexemes.clear();
  const auto stuck = LexerTable::instance().scan(line, Lexer::ARGUMENTS, antlr_->lexemes);
  POSTERN_CHECK(!stuck, "every byte belongs to some word of a rule");
  for (const Lexeme& lexeme : antlr_->lexemes) {
    if (lexeme.type != Lexer::UNCLOSED) continue;
    errors.push_back(unclosed(lexeme, 0));
    return false;
  }
  return collect_words(antlr_->lexemes, line, 0, words, errors);
}

}  // namespace postern
