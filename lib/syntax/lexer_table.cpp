#include "syntax/lexer_table.hpp"

#include <IptablesSaveLexer.h>
#include <atn/LexerActionType.h>
#include <atn/LexerModeAction.h>
#include <atn/LexerTypeAction.h>
#include <atn/OrderedATNConfigSet.h>

#include <map>
#include <unordered_map>

#include "base/check.hpp"

namespace postern {

// Walks every state that ANTLR's simulator can reach and writes it down.
class LexerTableBuilder : public antlr4::atn::LexerATNSimulator {
 public:
  LexerTableBuilder(const antlr4::atn::ATN& network, std::vector<antlr4::dfa::DFA>& automata,
                    antlr4::atn::PredictionContextCache& cache, LexerTable& table)
      : LexerATNSimulator(nullptr, network, automata, cache), nothing_(""), table_(table) {
    classify_bytes();
  }

  void add_mode(std::size_t mode) {
    _mode = mode;
    numbers_.clear();
    pending_.clear();
    auto closure = computeStartState(&nothing_, atn.modeToStartState[mode]);
    table_.starts_.push_back(number(addDFAState(closure.release())));
    while (!pending_.empty()) {
      antlr4::dfa::DFAState* from = pending_.back();
      pending_.pop_back();
      const std::uint16_t row = numbers_.at(from);
      for (const auto& alike : classes_) {
        antlr4::dfa::DFAState* to = computeTargetState(&nothing_, from, alike.front());
        const std::uint16_t target = to == ERROR.get() ? LexerTable::kNone : number(to);
        for (const std::size_t byte : alike) table_.states_[row].next[byte] = target;
      }
    }
  }

 private:
  // Bytes that no transition of the grammar tells apart lead from every state to the same one.
  void classify_bytes() {
    std::map<std::vector<bool>, std::vector<std::size_t>> by_signature;
    for (std::size_t byte = 0; byte < 256; ++byte) {
      std::vector<bool> signature;
      for (const antlr4::atn::ATNState* state : atn.states) {
        if (state == nullptr) continue;
        for (const antlr4::atn::Transition* transition : state->transitions) {
          signature.push_back(!transition->isEpsilon() &&
                              transition->matches(byte, antlr4::Lexer::MIN_CHAR_VALUE,
                                                  antlr4::Lexer::MAX_CHAR_VALUE));
        }
      }
      by_signature[std::move(signature)].push_back(byte);
    }
    for (auto& [signature, bytes] : by_signature) classes_.push_back(std::move(bytes));
  }

  std::uint16_t number(antlr4::dfa::DFAState* state) {
    const auto [it, fresh] =
        numbers_.try_emplace(state, static_cast<std::uint16_t>(table_.states_.size()));
    if (!fresh) return it->second;
    POSTERN_CHECK(table_.states_.size() < LexerTable::kNone, "too many lexer states");
    pending_.push_back(state);
    table_.states_.push_back(describe(*state));
    return it->second;
  }

  static LexerTable::State describe(const antlr4::dfa::DFAState& state) {
    LexerTable::State row;
    row.next.fill(LexerTable::kNone);
    if (!state.isAcceptState) return row;
    row.type = state.prediction;
    if (!state.lexerActionExecutor) return row;
    for (const auto& action : state.lexerActionExecutor->getLexerActions()) {
      switch (action->getActionType()) {
        case antlr4::atn::LexerActionType::SKIP:
          row.skip = true;
          break;
        case antlr4::atn::LexerActionType::TYPE:
          row.type = static_cast<std::size_t>(
              std::static_pointer_cast<antlr4::atn::LexerTypeAction>(action)->getType());
          break;
        case antlr4::atn::LexerActionType::MODE:
          row.mode = static_cast<std::size_t>(
              std::static_pointer_cast<antlr4::atn::LexerModeAction>(action)->getMode());
          break;
        default:
          throw InternalError("the lexer grammar uses a command that the table does not know");
      }
    }
    return row;
  }

  antlr4::ANTLRInputStream nothing_;
  LexerTable& table_;
  std::vector<std::vector<std::size_t>> classes_;  // of bytes that are alike
  std::unordered_map<antlr4::dfa::DFAState*, std::uint16_t> numbers_;
  std::vector<antlr4::dfa::DFAState*> pending_;
};

LexerTable::LexerTable() {
  antlr4::ANTLRInputStream nothing("");
  const grammar::IptablesSaveLexer lexer(&nothing);
  const antlr4::atn::ATN& atn = lexer.getATN();
  std::vector<antlr4::dfa::DFA> automata;
  for (std::size_t i = 0; i < atn.getNumberOfDecisions(); ++i) {
    automata.emplace_back(atn.getDecisionState(i), i);
  }
  antlr4::atn::PredictionContextCache cache;
  LexerTableBuilder builder(atn, automata, cache, *this);
  for (std::size_t mode = 0; mode < atn.modeToStartState.size(); ++mode) builder.add_mode(mode);
}

const LexerTable& LexerTable::instance() {
  static const LexerTable table;
  return table;
}

std::optional<std::uint32_t> LexerTable::scan(std::string_view line, std::size_t mode,
                                              std::vector<Lexeme>& out) const {
  std::size_t at = 0;
  while (at < line.size()) {
    std::uint16_t state = starts_[mode];
    const State* accepted = nullptr;
    std::size_t end = at;
    for (std::size_t i = at; i < line.size(); ++i) {
      state = states_[state].next[static_cast<unsigned char>(line[i])];
      if (state == kNone) break;
      if (states_[state].type != 0) {
        accepted = &states_[state];
        end = i + 1;
      }
    }
    if (accepted == nullptr) return static_cast<std::uint32_t>(at);
    if (!accepted->skip) {
      out.push_back(
          {accepted->type, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(end)});
    }
    if (accepted->mode) mode = *accepted->mode;
    at = end;
  }
  return std::nullopt;
}

}  // namespace postern
