// `postern query FILE... -- VERB MATCH...`: one question, answered for each file and path.
// Covered by tests/cli/query_test.cpp.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "analyzer/query.hpp"
#include "cli/commands.hpp"
#include "cli/load.hpp"
#include "cli/terminal.hpp"

namespace postern {
namespace {

// An address in the question decides the family of a file that does not decide it itself.
Options with_family_of_words(Options options) {
  if (!options.family) options.family = family_of_words(options.words);
  return options;
}

QueryOptions query_options(const Options& options) {
  QueryOptions query;
  query.tracking = options.tracking;
  if (options.timeout) query.timeout = *options.timeout;
  return query;
}

// `named`: there are several files, so each answer says of which it speaks.
std::string as_text(const std::vector<Answer>& answers, bool named, bool color) {
  std::string text;
  for (const Answer& answer : answers) {
    if (!text.empty()) text += "\n";
    if (named) text += answer.file + ": ";
    text += to_text(answer, color);
    if (!text.empty() && text.back() != '\n') text += '\n';
  }
  return text;
}

std::string as_json(const std::vector<Answer>& answers) {
  nlohmann::json list = nlohmann::json::array();
  for (const Answer& answer : answers) list.push_back(to_json(answer));
  const nlohmann::json document{{"schema", "postern/1"}, {"answers", list}};
  // Text of the ruleset may hold bytes that are not UTF-8; JSON may not.
  return document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

ExitCode exit_code_of(const std::vector<Answer>& answers, const Options& options) {
  if (options.expect) {
    return static_cast<ExitCode>(expect_status(answers, *options.expect ? Truth::kYes : Truth::kNo,
                                               options.allow_conditional));
  }
  for (const Answer& answer : answers) {
    if (answer.truth == Truth::kUnknown) return ExitCode::kIncomplete;
  }
  return ExitCode::kClean;
}

// nullopt: the file or the question is bad, and that has been said.
std::optional<std::vector<Answer>> ask(const std::string& path, const Options& options) {
  const std::unique_ptr<Loaded> loaded = load(path, options);
  if (!loaded) return std::nullopt;
  const Result<Question> question =
      read_question(options.words, loaded->bound.ruleset.family,
                    {.path = options.path, .find = options.find, .every = options.every});
  if (!question) {
    std::string words;
    for (const std::string& word : options.words) words += (words.empty() ? "" : " ") + word;
    print_errors(question.error(), SourceFile("question", words), options);
    return std::nullopt;
  }
  Prover prover(*loaded->program, query_options(options));
  return prover.ask(*question);
}

}  // namespace

ExitCode run_query(const Options& raw_options) {
  const Options options = with_family_of_words(raw_options);
  Progress progress(options.quiet);
  ExitCode code = ExitCode::kClean;
  std::vector<Answer> answers;
  for (const std::string& path : options.files) {
    progress.show(path);
    auto answered = ask(path, options);
    progress.clear();
    if (!answered) {
      code = stronger(code, ExitCode::kBadInput);
      continue;
    }
    code = stronger(code, exit_code_of(*answered, options));
    for (Answer& answer : *answered) {
      if (options.on_kernel) code = stronger(code, confirm_on_kernel(answer));
    }
    answers.insert(answers.end(), answered->begin(), answered->end());
  }
  if (answers.empty() && code == ExitCode::kBadInput && options.format == Format::kText)
    return code;
  const std::string text =
      options.format == Format::kJson
          ? as_json(answers)
          : as_text(answers, options.files.size() > 1, use_color(options, Stream::kOutput));
  code = finish(options, text, code);
  const auto witness =
      std::ranges::find_if(answers, [](const Answer& answer) { return !answer.witness.empty(); });
  return write_witness(options, witness == answers.end() ? nullptr : &*witness, code);
}

}  // namespace postern
