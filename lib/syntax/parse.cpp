// Lines make tables here, as iptables-restore puts them together: nothing but comments before the
// first table, COMMIT ends a table. Lines themselves are parsed side by side in blocks.
#include "syntax/parse.hpp"

#include <algorithm>
#include <future>
#include <thread>

#include "base/overloaded.hpp"
#include "syntax/line_parser.hpp"
#include "syntax/strictness.hpp"

namespace postern {
namespace {

Diagnostic error(Span span, std::string message, std::string help) {
  return {Severity::kError, "syntax", span, std::move(message), std::move(help), {}};
}

struct Block {
  std::vector<std::optional<FlatLine>> lines;  // nullopt: wrong, reported in `errors`
  std::vector<ast::Word> words;
  Diagnostics errors;
  std::optional<Span> first_return;  // of the lines that a carriage return makes wrong
  std::size_t returns = 0;
};

// Lines [first, last), 1-based.
Block parse_block(const SourceFile& source, std::uint32_t first, std::uint32_t last) {
  Block block;
  LineParser parser;
  block.lines.reserve(last - first);
  for (std::uint32_t line = first; line < last; ++line) {
    const std::string_view text = source.line_text(line);
    const auto offset = static_cast<std::uint32_t>(text.data() - source.text().data());
    block.lines.push_back(parser.parse(text, offset, block.words, block.errors));
    if (!block.lines.back()) continue;  // what is wrong was reported
    if (auto blanks = misplaced_blanks(text, offset)) block.errors.push_back(std::move(*blanks));
    const auto end = offset + static_cast<std::uint32_t>(text.size());
    if (end < source.text().size() && source.text()[end] == '\r' && minds_carriage_return(text)) {
      if (!block.first_return) block.first_return = Span{offset, end};
      ++block.returns;
    }
  }
  return block;
}

std::vector<Block> parse_blocks(const SourceFile& source) {
  constexpr std::uint32_t kLeastLines = 2000;  // fewer are not worth a thread
  const std::uint32_t lines = source.line_count();
  const std::uint32_t cores = std::max(1U, std::thread::hardware_concurrency());
  const std::uint32_t count = std::clamp(lines / kLeastLines, 1U, cores);
  const auto bound = [&](std::uint32_t i) {
    return 1 + static_cast<std::uint32_t>(std::uint64_t{lines} * i / count);
  };
  std::vector<std::future<Block>> later;
  for (std::uint32_t i = 1; i < count; ++i) {
    later.push_back(
        std::async(std::launch::async, parse_block, std::cref(source), bound(i), bound(i + 1)));
  }
  std::vector<Block> blocks;
  blocks.push_back(parse_block(source, bound(0), bound(1)));
  for (auto& block : later) blocks.push_back(block.get());
  return blocks;
}

// Puts lines together; knows whether a table is open.
class Assembly {
 public:
  explicit Assembly(Parsed& parsed) : parsed_(parsed) {}

  // `shift`: where the block's words begin among all words.
  void add(FlatLine line, std::uint32_t shift) {
    std::visit(Overloaded{[](BlankLine) {}, [&](const TableLine& table) { begin(table); },
                          [&](const CommitLine& commit) { end(commit); },
                          [&](const ast::ChainLine& chain) { put(chain, chain.span); },
                          [&](ast::RuleLine& rule) {
                            rule.first_word += shift;
                            put(rule, rule.span);
                          }},
               line);
  }

  void finish() {
    if (open_) complain_unfinished();
  }

 private:
  void begin(const TableLine& line) {
    if (open_) complain_unfinished();
    parsed_.file.tables.push_back({line.span, line.name, {}});
    open_ = true;
  }

  void end(const CommitLine& line) {
    if (!open_) {
      parsed_.errors.push_back(
          error(line.span, "COMMIT without a table", "begin the table with *NAME"));
    }
    open_ = false;
  }

  void put(ast::Line line, Span span) {
    if (open_) {
      parsed_.file.tables.back().lines.push_back(line);
    } else if (!std::exchange(complained_outside_, true)) {
      parsed_.errors.push_back(
          error(span, "this stands outside of any table",
                "begin the table with *filter (or raw, mangle, nat, security)"));
    }
  }

  void complain_unfinished() {
    const ast::Table& table = parsed_.file.tables.back();
    parsed_.errors.push_back(
        error(table.span, "this table is never committed", "put COMMIT behind its last rule"));
  }

  Parsed& parsed_;
  bool open_ = false;
  bool complained_outside_ = false;
};

}  // namespace

namespace ast {

std::string unquote(std::string_view spelling) {
  std::string text;
  bool quoted = false;
  for (std::size_t i = 0; i < spelling.size(); ++i) {
    const char c = spelling[i];
    if (quoted && c == '\\' && i + 1 < spelling.size()) {
      text.push_back(spelling[++i]);
    } else if (c == '"') {
      quoted = !quoted;
    } else {
      text.push_back(c);
    }
  }
  return text;
}

}  // namespace ast

Parsed parse(std::shared_ptr<const SourceFile> source) {
  Parsed parsed;
  std::vector<Block> blocks = parse_blocks(*source);
  parsed.file.source = std::move(source);
  Assembly assembly(parsed);
  std::optional<Span> first_return;
  std::size_t returns = 0;
  for (Block& block : blocks) {
    if (!first_return) first_return = block.first_return;
    returns += block.returns;
    const auto shift = static_cast<std::uint32_t>(parsed.file.words.size());
    if (parsed.file.words.empty()) {
      parsed.file.words = std::move(block.words);
    } else {
      parsed.file.words.insert(parsed.file.words.end(), block.words.begin(), block.words.end());
    }
    for (auto& line : block.lines) {
      if (line) assembly.add(std::move(*line), shift);
    }
    std::ranges::move(block.errors, std::back_inserter(parsed.errors));
  }
  assembly.finish();
  if (first_return) parsed.errors.push_back(carriage_returns(*first_return, returns));
  std::ranges::stable_sort(parsed.errors, {}, &Diagnostic::span);
  return parsed;
}

ParsedWords parse_words(const SourceFile& source) {
  ParsedWords parsed;
  LineParser().parse_words(source.text(), parsed.words, parsed.errors);
  return parsed;
}

}  // namespace postern
