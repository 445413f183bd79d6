// Leaves out whatever is not needed for a difference. Covered by campaign_test.cpp.
#include <chrono>
#include <sstream>

#include "tests/kernel/support/judge.hpp"

namespace postern::kernel {
namespace {

constexpr std::chrono::seconds kPatience{30};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}
std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// What a difference is about: "died_at" of "packets[3].died_at: only left: ...".
std::string subject(const std::string& line) {
  const std::size_t begin = line.starts_with("packets[") ? line.find("].") + 2 : 0;
  return line.substr(begin, line.find(':', begin) - begin);
}

class Shrinker {
 public:
  Shrinker(Judge& judge, Scenario scenario) : judge_(judge), best_(std::move(scenario)) {}

  Scenario run(const std::vector<std::string>& lines) {
    subject_ = subject(lines.front());
    std::size_t first = 0;
    if (std::sscanf(lines.front().c_str(), "packets[%zu]", &first) == 1) cut_behind(first);
    for (std::size_t chunk = best_.steps.size() / 2; chunk > 0; chunk /= 2) drop_steps(chunk);
    drop_rules(&Scenario::ruleset);
    drop_rules(&Scenario::ruleset6);
    drop_steps(1);
    return best_;
  }

 private:
  bool better(const Scenario& candidate) {
    if (std::chrono::steady_clock::now() > end_) return false;
    const Judged judged = judge_.judge(candidate);
    // Another difference is another story.
    if (judged.lines.empty() || subject(judged.lines.front()) != subject_) return false;
    best_ = candidate;
    return true;
  }
  void cut_behind(std::size_t first) {
    if (first + 1 >= best_.steps.size()) return;
    Scenario shorter = best_;
    shorter.steps.resize(first + 1);
    better(shorter);
  }
  void drop_steps(std::size_t chunk) {
    for (std::size_t end = best_.steps.size(); end > 0;) {
      const std::size_t begin = end > chunk ? end - chunk : 0;
      Scenario without = best_;
      if (end <= without.steps.size()) {
        without.steps.erase(without.steps.begin() + static_cast<std::ptrdiff_t>(begin),
                            without.steps.begin() + static_cast<std::ptrdiff_t>(end));
        better(without);
      }
      end = begin;
    }
  }
  void drop_rules(std::optional<std::string> Scenario::*ruleset) {
    if (!(best_.*ruleset)) return;
    for (std::size_t i = lines_of(*(best_.*ruleset)).size(); i-- > 0;) {
      auto lines = lines_of(*(best_.*ruleset));
      if (i >= lines.size() || !lines[i].starts_with("-A ")) continue;
      lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(i));
      Scenario without = best_;
      without.*ruleset = text_of(lines);
      better(without);
    }
  }

  Judge& judge_;
  std::string subject_;
  Scenario best_;
  std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::now() + kPatience;
};

}  // namespace

Scenario shrink(Judge& judge, const Scenario& scenario, const std::vector<std::string>& lines) {
  return Shrinker(judge, scenario).run(lines);
}

}  // namespace postern::kernel
