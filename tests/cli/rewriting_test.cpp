// No answer is learnt by heart: the eight rulesets of the story, rewritten at random
// (rewriting.hpp), give the same answers to the questions mapped by the same renaming; a question
// with the old port is answered by what the rewritten ruleset says, and lint finds the same things
// at the new port.
//
// Two seeds: a fixed one, and a fresh one that is printed; POSTERN_SEED repeats it.
#include "cli/rewriting.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "../unit/query_fixture.hpp"
#include "analyzer/lint.hpp"
#include "cli/support/run.hpp"
#include "tests/support/seed.hpp"

namespace postern::test {
namespace {

// {P} is the ruleset's port, {Q} any other, {I} the interface, {T} the protocol.
struct Asked {
  const char* words;
  Truth expected;
};

struct Story {
  const char* file;
  const char* port;
  const char* interface;  // as the file has it
  const char* protocol;   // that the questions speak of
  bool other_protocol;    // true: the story holds for TCP and UDP alike
  bool wire;              // true: of the file on lo, the story holds on a wire too
  std::vector<Asked> asked;
  std::vector<Asked> with_old_port;  // {P} is the port before the renaming
  // Ids of lint with those under `related`, but of the family 1xx: where chains are split, more
  // rules can be out of reach.
  std::set<std::string> findings;
};

constexpr Truth kYes = Truth::kYes, kNo = Truth::kNo;

// Why {T} may be UDP: nothing asked depends on flags; an answer of an untracked UDP flow is a
// first packet, as an ACK is to tcp_loose. Why lo may be a wire: with all four directions
// untracked no entry ever helps, and INPUT and OUTPUT have the same rules.
std::vector<Story> stories() {
  return {
      {"notrack/test1",
       "1234",
       "lo",
       "tcp",
       false,
       false,
       {{"track --entry-state ESTABLISHED -i {I} -p tcp --dport {P}", kYes},
        {"connect -i {I} -p tcp --sport {P} --dport {Q}", kYes}},
       {},
       {"PST302"}},
      {"notrack/test2",
       "1234",
       "lo",
       "tcp",
       false,
       false,
       {{"track --entry-state SYN_SENT -i {I} -p tcp --dport {P}", kYes},
        {"connect -i {I} -p tcp --dport {P}", kYes}},
       {},
       {"PST301", "PST302", "PST309"}},
      {"notrack/test3",
       "1234",
       "lo",
       "tcp",
       true,
       true,
       {{"track -i {I} -p {T} --dport {P}", kNo}, {"track -i {I} -p {T} --dport {Q}", kYes}},
       {{"track -i {I} -p {T} --sport {Q} --dport {P}", kYes}},
       {"PST302"}},
      {"notrack/test3-lockdown",
       "1234",
       "lo",
       "tcp",
       true,
       true,
       {{"connect -i {I} -p {T} --sport {P} --dport {Q}", kYes},
        {"connect -i {I} -p {T} --dport {Q} ! --sport {P}", kNo},
        {"connect --find sport --every dport -i {I} -p {T}", kYes},
        {"track -i {I} -p {T} --dport {P}", kNo}},
       {{"connect -i {I} -p {T} --sport {P} --dport {Q}", kNo}},
       {"PST202", "PST302"}},
      {"notrack/test4",
       "1234",
       "lo",
       "tcp",
       false,
       true,
       {{"connect --find sport --every dport -i {I} -p tcp", kNo},
        {"connect -i {I} -p tcp --sport {P} ! --dport {P}", kNo},
        {"deliver -i {I} -p tcp --sport {P} --dport {Q}", kYes},
        {"deliver -i {I} -p tcp --sport {P} --dport {Q} --syn", kNo}},
       {{"deliver -i {I} -p tcp --sport {P} --dport {Q}", kNo}},
       {"PST206", "PST302"}},
      {"p2p/in",
       "33333",
       "eth0",
       "udp",
       true,
       false,
       {{"track -i {I} -p {T} --dport {P} --path in", kYes},
        {"deliver -i {I} -p {T} --dport {P} --path in", kYes},
        {"deliver -i {I} -p {T} --dport {Q} --path in", kNo}},
       {{"deliver -i {I} -p {T} --dport {P} --path in", kNo}},
       {"PST301", "PST305", "PST309"}},
      {"p2p/both",
       "33333",
       "eth0",
       "udp",
       true,
       false,
       {{"track -i {I} -p {T} --dport {P} --path in", kNo},
        {"connect -i {I} -p {T} --dport {P} --path in", kYes}},
       {{"connect -i {I} -p {T} --dport {P} --path in", kNo}},
       {"PST305"}},
      {"p2p/new-only",
       "33333",
       "eth0",
       "udp",
       true,
       false,
       {{"deliver -i {I} -p {T} --dport {P} --path in", kNo}},
       {},
       {"PST301", "PST305", "PST309"}},
  };
}

std::string filled(std::string words, const std::map<std::string, std::string>& by) {
  for (const auto& [name, value] : by) {
    for (std::size_t at; (at = words.find(name)) != std::string::npos;) {
      words.replace(at, name.size(), value);
    }
  }
  return words;
}

struct Tally {
  unsigned rulesets = 0, questions = 0, yes = 0, no = 0, lints = 0, wires = 0, other_protocols = 0;
};

void expect_answers(const LoadedRuleset& rules, const std::vector<std::string>& lines,
                    const std::vector<Truth>& expected, Tally& tally) {
  std::vector<Question> questions;
  for (const std::string& line : lines) {
    // --find and --every stand among the options of `query`.
    std::vector<std::string> words = split_words(line);
    QuestionDefaults defaults;
    for (const char* option : {"--find", "--every"}) {
      const auto at = std::ranges::find(words, option);
      if (at == words.end()) continue;
      (std::string(option) == "--find" ? defaults.find : defaults.every).push_back(*(at + 1));
      words.erase(at, at + 2);
    }
    auto question = read_question(words, rules.family(), defaults);
    ASSERT_TRUE(question.has_value()) << line;
    questions.push_back(std::move(*question));
  }
  QueryOptions options;
  options.strict = true;
  Prover prover(rules.program(), options);
  prover.prepare(questions);
  for (std::size_t i = 0; i < questions.size(); ++i) {
    for (const Answer& answer : prover.ask(questions[i])) {
      EXPECT_EQ(answer.truth, expected[i]) << lines[i] << "\n" << to_text(answer);
      ++tally.questions;
      (answer.truth == kYes ? tally.yes : tally.no) += 1;
    }
  }
}

std::set<std::string> ids_of(const LintReport& report) {
  std::set<std::string> ids;
  const auto add = [&](const std::string& id) {
    if (!id.empty() && !id.starts_with("PST1")) ids.insert(id);
  };
  for (const Finding& finding : report.findings) {
    add(finding.id);
    for (const Related& related : finding.related) add(related.id);
  }
  return ids;
}

LintReport lint_of(const std::string& text) {
  auto bound = read_ruleset(std::make_shared<const SourceFile>("rewritten.rules", text));
  if (!bound) throw std::runtime_error(bound.error().front().message);
  return lint(*bound);
}

// The same ids, and PST202's ports mapped.
void expect_lint(const std::string& text, const std::set<std::string>& expected, std::uint64_t port,
                 Tally& tally) {
  const LintReport report = lint_of(text);
  EXPECT_EQ(ids_of(report), expected);
  EXPECT_TRUE(report.open.empty());
  ++tally.lints;
  for (const Finding& finding : report.findings) {
    if (finding.id != "PST202") continue;
    ASSERT_TRUE(finding.hole.has_value());
    EXPECT_EQ(finding.hole->sport, (IntervalList{{port, port}}));
    EXPECT_EQ(finding.hole->opens, (IntervalList{{0, 65535}}));
    EXPECT_EQ(finding.hole->opens_only_thus, (IntervalList{{0, port - 1}, {port + 1, 65535}}));
  }
}

void retell(const Story& story, Rewriter& rewriter, Tally& tally) {
  const std::string text = read_file(corpus(std::string(story.file) + ".rules"));
  // The renaming covers port, the other port, and what else this telling changes.
  RewriteOptions options;
  options.ports = {story.port, "80"};
  options.neutral = rewriter.pick(2) == 0;
  const bool lo = std::string(story.interface) == "lo";
  const bool wire = lo && story.wire && rewriter.pick(2) == 0;
  if (!lo || wire) options.from_interface = story.interface;
  options.from_protocol = story.protocol;
  options.protocol = story.protocol;
  const bool other = story.other_protocol && rewriter.pick(2) == 0;
  if (other) options.protocol = std::string(story.protocol) == "tcp" ? "udp" : "tcp";
  RewriteOptions of_rules = options;
  // Both protocols stand in the p2p rulesets: only the questions change.
  if (!lo) of_rules.from_protocol.clear();
  const Renaming renaming = rewriter.draw(of_rules);
  const std::string rewritten = rewriter.rewrite(text, of_rules);
  SCOPED_TRACE(std::string(story.file) + " rewritten:\n" + rewritten);
  const LoadedRuleset rules("rewritten.rules", rewritten);
  const std::string port = renaming(story.port);
  std::map<std::string, std::string> by{{"{P}", port},
                                        {"{Q}", renaming("80")},
                                        {"{I}", renaming(story.interface)},
                                        {"{T}", options.protocol}};
  const std::string path = wire ? " --path in" : "";
  std::vector<std::string> lines;
  std::vector<Truth> expected;
  for (const Asked& asked : story.asked) {
    lines.push_back(filled(asked.words, by) + path);
    expected.push_back(asked.expected);
  }
  by["{P}"] = story.port;
  for (const Asked& asked : story.with_old_port) {
    lines.push_back(filled(asked.words, by) + path);
    expected.push_back(asked.expected);
  }
  ++tally.rulesets;
  tally.wires += wire ? 1 : 0;
  tally.other_protocols += other ? 1 : 0;
  expect_answers(rules, lines, expected, tally);
  if (!options.neutral || wire || (lo && other)) return;
  expect_lint(rewritten, story.findings, std::stoull(port), tally);
}

void retell_all(std::uint64_t seed, unsigned times) {
  Rewriter rewriter(seed);
  Tally tally;
  for (unsigned i = 0; i < times; ++i) {
    for (const Story& story : stories()) retell(story, rewriter, tally);
  }
  const RewriteCounts& done = rewriter.counts();
  std::printf(
      "%u rulesets, %u questions (%u yes, %u no), %u lints; changed: %u ports, %u interfaces, %u "
      "protocols, %u spellings, %u chain names; %u chains split, %u by goto, %u rules inserted\n",
      tally.rulesets, tally.questions, tally.yes, tally.no, tally.lints, done.ports,
      done.interfaces, done.protocols, done.spellings, done.chains_renamed, done.chains_split,
      done.gotos, done.inserted);
  for (const unsigned count : {tally.yes, tally.no, tally.lints, tally.wires, tally.other_protocols,
                               done.ports, done.interfaces, done.protocols, done.spellings,
                               done.chains_renamed, done.chains_split, done.gotos, done.inserted}) {
    EXPECT_GT(count, 0U);
  }
}

TEST(Rewriting, AnswersFollowUnderAFixedSeed) { retell_all(20261121, 6); }

TEST(Rewriting, AnswersFollowUnderAFreshSeed) { retell_all(seed_of_run(), 6); }

}  // namespace
}  // namespace postern::test
