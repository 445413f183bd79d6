#include "analyzer/replay.hpp"

#include <algorithm>

#include "base/overloaded.hpp"
#include "engine/engine.hpp"
#include "ir/bind.hpp"

namespace postern {
namespace {

// A ruleset with its program; the program points into the ruleset, so the pair stays put.
struct Compiled {
  Ruleset ruleset;
  std::optional<Program> program;
};

tl::expected<std::unique_ptr<Compiled>, ReplayError> compile(const std::string& text,
                                                             const std::string& name, Family family,
                                                             Backend backend) {
  const auto source = std::make_shared<const SourceFile>(name, text);
  auto bound = read_ruleset(source, family, backend);
  if (!bound) {
    return tl::unexpected(ReplayError{"the ruleset has errors", std::move(bound.error()), source});
  }
  auto compiled = std::make_unique<Compiled>();
  compiled->ruleset = std::move(bound->ruleset);
  auto program = Program::compile(compiled->ruleset);
  if (!program) {
    return tl::unexpected(
        ReplayError{"the ruleset has errors", std::move(program.error()), source});
  }
  compiled->program = std::move(*program);
  return compiled;
}

bool known_device(const Scenario& scenario, const std::string& name) {
  return name.empty() || name == "lo" ||
         std::ranges::any_of(scenario.interfaces,
                             [&](const Interface& i) { return i.name == name; });
}

// Empty when every packet names devices that exist.
std::string missing_device(const Scenario& scenario) {
  for (const Step& step : scenario.steps) {
    const auto* packet = std::get_if<Packet>(&step);
    if (packet == nullptr) continue;
    for (const std::string& name : {packet->in, packet->out_interface}) {
      if (!known_device(scenario, name))
        return "a packet names the interface " + name + ", which the scenario does not have";
    }
  }
  return {};
}

void take(const Step& step, Engine& engine, bool each, ScenarioReport& report) {
  const auto note = [&](std::string name) {
    report.packets.emplace_back();
    report.packets.back().step = std::move(name);
  };
  std::visit(Overloaded{[&](const Packet& packet) {
                          report.packets.push_back(engine.inject(packet));
                          if (each) engine.observe(report.packets.back());
                        },
                        [&](const WaitStep& s) {
                          engine.wait(s.milliseconds);
                          note("wait");
                        },
                        [&](const FlushStep& s) {
                          engine.flush(s.expectations);
                          note("flush");
                        },
                        [&](const SysctlStep& s) {
                          engine.set_sysctl(s.values);
                          note("sysctl");
                        }},
             step);
}

}  // namespace

tl::expected<Replayed, ReplayError> replay(const Scenario& scenario, const Program* v4,
                                           const Program* v6) {
  if (std::string missing = missing_device(scenario); !missing.empty()) {
    return tl::unexpected(ReplayError{std::move(missing), {}, nullptr});
  }
  Replayed made;
  ListChooser chooser(scenario.choices);
  Engine engine(scenario, v4, v6, chooser);
  made.report.each = scenario.observe == Observe::kEach;
  made.report.backend = text(scenario.backend);
  try {
    for (const Step& step : scenario.steps) take(step, engine, made.report.each, made.report);
  } catch (const Unmodelled& unmodelled) {
    made.unmodelled = unmodelled.what();
  }
  engine.observe(made.report.last);
  made.choices = chooser.made();
  for (const Choice& choice : made.choices) made.report.choices.push_back(choice.value);
  return made;
}

tl::expected<Replayed, ReplayError> replay(const Scenario& scenario) {
  std::unique_ptr<Compiled> compiled[2];
  const std::optional<std::string>* texts[] = {&scenario.ruleset, &scenario.ruleset6};
  const std::string* names[] = {&scenario.ruleset_name, &scenario.ruleset6_name};
  const Family families[] = {Family::kIpv4, Family::kIpv6};
  for (std::size_t i = 0; i < 2; ++i) {
    if (!*texts[i]) continue;
    auto one = compile(**texts[i], *names[i], families[i], scenario.backend);
    if (!one) return tl::unexpected(std::move(one.error()));
    compiled[i] = std::move(*one);
  }
  const auto program = [&](std::size_t i) -> const Program* {
    return compiled[i] ? &*compiled[i]->program : nullptr;
  };
  return replay(scenario, program(0), program(1));
}

}  // namespace postern
