// Covered by tests/cli/on_kernel_test.cpp.
#include "analyzer/on_kernel.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "analyzer/replay.hpp"
#include "kernel/run.hpp"
#include "scenario/result.hpp"

namespace postern {
namespace {

// A witness that has to wait for an entry to expire (10 s and more) is not worth the user's time.
constexpr std::chrono::milliseconds kWitnessPatience{5'000};

// Where chance has to fall as the scenario says: as often as one throws a coin, until it does.
constexpr unsigned kMostRuns = 8;

std::string kernel_release() {
  utsname name{};
  uname(&name);
  return fmt::format("{} {}", name.sysname, name.release);
}

std::chrono::milliseconds waits(const Scenario& scenario) {
  std::chrono::milliseconds sum{0};
  for (const Step& step : scenario.steps) {
    if (const auto* wait = std::get_if<WaitStep>(&step)) {
      sum += std::chrono::milliseconds(wait->milliseconds);
    }
  }
  return sum;
}

// The programs that load rulesets say more than one line.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

constexpr std::string_view kOnlyLeft = ": only left: ", kOnlyRight = ": only right: ";

// The fields in which two items differ; none where they are no two objects.
std::vector<std::string> fields(const std::string& left, const std::string& right) {
  const auto one = nlohmann::json::parse(left, nullptr, false);
  const auto other = nlohmann::json::parse(right, nullptr, false);
  if (!one.is_object() || !other.is_object()) return {};
  return differences(one, other);
}

// The first of `differences`, which calls its sides left and right: where an item of a set is only
// left, in which fields the likest that is only right differs from it.
std::string first_of(const std::vector<std::string>& found) {
  const std::string& first = found.front();
  const std::size_t side = first.find(kOnlyLeft);
  if (side == std::string::npos) return first + " (left: postern, right: Linux)";
  const std::string place = first.substr(0, side), start = place + std::string(kOnlyRight);
  const std::string item = first.substr(side + kOnlyLeft.size());
  std::vector<std::string> least;
  std::string counterpart;
  for (const std::string& line : found) {
    if (!line.starts_with(start)) continue;
    auto here = fields(item, line.substr(start.size()));
    if (counterpart.empty()) counterpart = "; only right: " + line.substr(start.size());
    if (!here.empty() && (least.empty() || here.size() < least.size())) least = std::move(here);
  }
  if (least.empty()) return first + counterpart + " (left: postern, right: Linux)";
  return fmt::format("{}: {} (left: postern, right: Linux)", place, fmt::join(least, "; "));
}

// Why a run is not the engine's.
void tell(const Scenario& scenario, const std::vector<std::string>& found, OnKernel& verdict) {
  const std::string first = first_of(found);
  if (scenario.choices.empty()) {
    verdict.difference = first;
    return;
  }
  const std::string runs =
      verdict.runs > 1 ? fmt::format(" in each of {} runs", verdict.runs) : std::string();
  verdict.reason = fmt::format(
      "the ruleset leaves something open (chance, time, an unknown extension), and Linux decided "
      "otherwise{}: {}",
      runs, first);
}

// iptables-nft-save writes some rules in other words: there they are known by their place alone.
nlohmann::json comparable(nlohmann::json document, Backend backend) {
  if (backend == Backend::kLegacy || !document.contains("packets")) return document;
  for (auto& packet : document["packets"]) {
    if (!packet.contains("rules")) continue;
    for (auto& hit : packet["rules"]) hit.erase("rule");
  }
  return document;
}

std::string why_not(const std::string& error) {
  std::string reason = first_line(error);
  if (::geteuid() != 0) reason += " (root can do it)";
  return reason;
}

}  // namespace

KernelRun run_on_kernel(const Scenario& scenario, const nlohmann::json& engine,
                        std::chrono::milliseconds patience) {
  KernelRun run;
  if (const auto span = waits(scenario); span > patience) {
    run.verdict.reason = fmt::format(
        "it waits {} s for a conntrack entry to expire, and a kernel's clock cannot be put forward",
        (span.count() + 999) / 1000);
    return run;
  }
  const bool chance = !scenario.choices.empty() && waits(scenario).count() == 0;
  const unsigned most = chance ? kMostRuns : 1;
  std::vector<std::string> found;
  do {
    auto document = kernel::run(scenario);
    if (!document) {
      run.verdict.reason = why_not(document.error());
      return run;
    }
    found =
        differences(comparable(engine, scenario.backend), comparable(*document, scenario.backend));
    run.document = std::make_shared<const nlohmann::json>(std::move(*document));
    ++run.verdict.runs;
  } while (!found.empty() && run.verdict.runs < most);
  run.verdict.release = kernel_release();
  run.verdict.confirmed = found.empty();
  if (!found.empty()) tell(scenario, found, run.verdict);
  return run;
}

OnKernel witness_on_kernel(const Scenario& witness) {
  const auto engine = replay(witness);
  if (!engine || !engine->unmodelled.empty()) {
    return {.reason = "the witness does not replay by itself"};
  }
  return run_on_kernel(witness, to_json(engine->report), kWitnessPatience).verdict;
}

std::string to_text(const OnKernel& verdict) {
  if (verdict.confirmed && verdict.runs > 1) {
    return fmt::format("confirmed on {} (in run {}: chance decides)", verdict.release,
                       verdict.runs);
  }
  if (verdict.confirmed) return "confirmed on " + verdict.release;
  if (verdict.release.empty()) return "not run on a kernel: " + verdict.reason;
  if (!verdict.difference.empty()) {
    return fmt::format("differs on {}: {}", verdict.release, verdict.difference);
  }
  return fmt::format("not confirmed on {}: {}", verdict.release, verdict.reason);
}

nlohmann::json to_json(const OnKernel& verdict) {
  nlohmann::json json{{"confirmed", verdict.confirmed}};
  if (!verdict.release.empty()) json["release"] = verdict.release;
  if (verdict.runs > 1) json["runs"] = verdict.runs;
  if (!verdict.difference.empty()) json["difference"] = verdict.difference;
  if (!verdict.reason.empty()) json["reason"] = verdict.reason;
  return json;
}

}  // namespace postern
