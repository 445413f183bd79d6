// What tests of questions share: a ruleset from text or from corpus/, and questions in words.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "analyzer/query.hpp"
#include "ir/bind.hpp"

namespace postern {

inline std::vector<std::string> split_words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string w; in >> w;) words.push_back(w);
  return words;
}

// A ruleset with its program; everything that the others point into.
class LoadedRuleset {
 public:
  LoadedRuleset(const std::string& name, const std::string& text,
                std::optional<Family> family = std::nullopt,
                std::optional<Backend> backend = std::nullopt) {
    auto bound = read_ruleset(std::make_shared<const SourceFile>(name, text), family, backend);
    if (!bound) throw std::runtime_error(name + ": " + bound.error().front().message);
    ruleset_ = std::make_unique<Ruleset>(std::move(bound->ruleset));
    auto compiled = Program::compile(*ruleset_);
    if (!compiled) throw std::runtime_error(name + ": " + compiled.error().front().message);
    program_ = std::make_unique<Program>(std::move(*compiled));
  }
  static LoadedRuleset corpus(const std::string& file) {
    const std::string path = std::string(POSTERN_SOURCE_DIR) + "/corpus/" + file;
    std::ifstream in(path);
    if (!in) throw std::runtime_error("no file " + path);
    std::ostringstream text;
    text << in.rdbuf();
    return {file, text.str()};
  }
  const Program& program() const { return *program_; }
  Family family() const { return ruleset_->family; }

 private:
  std::unique_ptr<Ruleset> ruleset_;
  std::unique_ptr<Program> program_;
};

inline Question question_of(const std::string& words, Family family = Family::kIpv4,
                            const QuestionDefaults& defaults = {}) {
  auto question = read_question(split_words(words), family, defaults);
  if (!question) throw std::runtime_error(words + ": " + question.error().front().message);
  return std::move(*question);
}

// All answers, one per path.
inline std::vector<Answer> ask(const LoadedRuleset& rules, const std::string& words,
                               QueryOptions options = {}) {
  options.strict = true;
  Prover prover(rules.program(), std::move(options));
  return prover.ask(question_of(words, rules.family()));
}
inline Answer ask_one(const LoadedRuleset& rules, const std::string& words,
                      QueryOptions options = {}) {
  auto answers = ask(rules, words, std::move(options));
  EXPECT_EQ(answers.size(), 1U) << words;
  return std::move(answers.front());
}

}  // namespace postern
