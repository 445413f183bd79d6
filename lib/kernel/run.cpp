// One world for each scenario. Covered by tests/kernel/scenario_test.cpp.
#include "kernel/run.hpp"

#include <sys/utsname.h>

#include <nlohmann/json.hpp>

#include "kernel/user_namespace.hpp"
#include "kernel/world.hpp"
#include "scenario/result.hpp"

namespace postern::kernel {
namespace {

// "Linux 6.18"
std::string kernel_name() {
  utsname name{};
  uname(&name);
  const std::string release = name.release;
  const std::size_t dot = release.find('.');
  const std::size_t end = release.find_first_not_of("0123456789", dot + 1);
  return std::string(name.sysname) + " " + release.substr(0, end);
}

Outcome<ScenarioReport> report_of(const Scenario& scenario) {
  auto world = World::create(scenario);
  if (!world) return tl::unexpected(world.error());
  ScenarioReport report;
  report.each = scenario.observe == Observe::kEach;
  report.backend = text(scenario.backend);
  report.kernel = kernel_name();
  for (const Step& step : scenario.steps) {
    auto result = (*world)->run(step, report.each);
    if (!result) return tl::unexpected(result.error());
    report.packets.push_back(std::move(*result));
  }
  if (!report.each) {
    if (auto done = (*world)->observe(report.last); !done) return tl::unexpected(done.error());
  }
  return report;
}

// Without the right to make a namespace, everything happens in a child that has it (its own).
bool needs_user_namespace() { return !NetNamespace::create(); }

Outcome<void> try_world() {
  Scenario tiny;
  tiny.interfaces.push_back({"lo", {}, 65536});
  tiny.interfaces.push_back({"wire0", {}, 1500});
  tiny.ruleset = "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n";
  const auto world = World::create(tiny);
  if (!world) return tl::unexpected(world.error());
  return {};
}

}  // namespace

Outcome<void> available() {
  if (!needs_user_namespace()) return try_world();
  const auto tried = in_user_namespace([]() -> Outcome<std::string> {
    if (auto done = try_world(); !done) return tl::unexpected(done.error());
    return "yes";
  });
  if (!tried) return tl::unexpected(tried.error());
  return {};
}

Outcome<nlohmann::json> run(const Scenario& scenario) {
  if (needs_user_namespace()) {
    const auto text = in_user_namespace([&]() -> Outcome<std::string> {
      const auto report = report_of(scenario);
      if (!report) return tl::unexpected(report.error());
      return to_json(*report).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    });
    if (!text) return tl::unexpected(text.error());
    return nlohmann::json::parse(*text);
  }
  const auto report = report_of(scenario);
  if (!report) return tl::unexpected(report.error());
  return to_json(*report);
}

Outcome<nlohmann::json> run(const ScenarioFile& file) {
  nlohmann::json documents = nlohmann::json::array();
  for (const Scenario& scenario : file.scenarios) {
    auto document = run(scenario);
    if (!document) return document;
    documents.push_back(std::move(*document));
  }
  return file.lone ? documents.at(0) : documents;
}

}  // namespace postern::kernel
