// What tests of the symbolic side share: a ruleset from text or file, a model of it, and questions
// in words with answers in one word.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "flow/program.hpp"
#include "ir/bind.hpp"
#include "symbolic/explore/model.hpp"

namespace postern {

inline std::string file_text(const std::string& path) {
  std::ifstream in(path);
  EXPECT_TRUE(in.good()) << path;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// The predicate of a question's words.
inline PredicatePtr words(const std::vector<std::string>& match, Family family) {
  std::string line;
  for (const std::string& w : match) line += (line.empty() ? "" : " ") + w;
  const auto source = std::make_shared<const SourceFile>("question", line);
  const auto clauses = read_match_words(source, family);
  EXPECT_TRUE(clauses.has_value()) << line << (clauses ? "" : clauses.error().front().message);
  std::vector<PredicatePtr> all_of;
  if (clauses) {
    for (const Clause& c : *clauses) all_of.push_back(c.predicate);
  }
  return all(std::move(all_of));
}

class ModelUnderTest {
 public:
  explicit ModelUnderTest(const std::string& file, ModelOptions options = {})
      : ModelUnderTest(file, file_text(std::string(POSTERN_SOURCE_DIR) + "/" + file), options) {}
  ModelUnderTest(const std::string& name, const std::string& text, ModelOptions options)
      : options_(options) {
    auto bound = read_ruleset(std::make_shared<const SourceFile>(name, text));
    if (!bound) throw std::runtime_error(name + ": " + bound.error().front().message);
    ruleset_ = std::make_unique<Ruleset>(std::move(bound->ruleset));
    auto compiled = Program::compile(*ruleset_);
    if (!compiled) throw std::runtime_error(name + ": " + compiled.error().front().message);
    program_ = std::make_unique<Program>(std::move(*compiled));
  }

  const Program& program() const { return *program_; }
  Model& model() { return *model_; }

  // A fresh model with the question's cuts.
  Set question(Path path, const std::vector<std::string>& match) {
    const std::vector<PredicatePtr> asked{words(match, ruleset_->family)};
    auto built = Model::build(*program_, asked, options_);
    if (!built) throw std::runtime_error("budget");
    model_ = std::move(*built);
    return model_->question(path, asked.front()).value();
  }

  std::string deliver(Path path, const std::vector<std::string>& match) {
    const Set m = question(path, match);
    return word(model_->deliver(path, m).value().packets);
  }
  std::string connect(Path path, const std::vector<std::string>& match) {
    const Set m = question(path, match);
    return word(model_->connect(path, m).value().flows);
  }
  std::string track(Path path, const std::vector<std::string>& match,
                    const std::string& state = {}) {
    const Set m = question(path, match);
    return word(model_->track(path, m, state).value().flows);
  }

 private:
  static std::string word(const Triple& t) {
    if (!t.must.empty()) return "yes";
    if (!t.may.empty()) return "conditional";
    return t.unmodelled.empty() ? "no" : "unknown";
  }
  ModelOptions options_;
  std::unique_ptr<Ruleset> ruleset_;
  std::unique_ptr<Program> program_;
  std::unique_ptr<Model> model_;
};

}  // namespace postern
