// Both sides of the comparison. Worlds are kept and reloaded: making one costs more than a hundred
// packets. Covered by campaign_test.cpp.
#include "tests/kernel/support/judge.hpp"

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/overloaded.hpp"
#include "engine/engine.hpp"
#include "ir/bind.hpp"

namespace postern::kernel {
namespace {

constexpr std::size_t kWorlds = 6;
constexpr int kRuns = 3;
constexpr std::chrono::milliseconds kSlowAfter{1500};

// A ruleset with its program; the program points into the ruleset, so the pair stays put.
struct Compiled {
  Ruleset ruleset;
  std::optional<Program> program;
};

Outcome<std::unique_ptr<Compiled>> compile(const std::optional<std::string>& text, Family family) {
  auto made = std::make_unique<Compiled>();
  if (!text) return made;
  const auto source = std::make_shared<const SourceFile>("ruleset", *text);
  auto bound = read_ruleset(source, family);
  if (!bound) return tl::unexpected(render(bound.error().front(), *source));
  made->ruleset = std::move(bound->ruleset);
  auto program = Program::compile(made->ruleset);
  if (!program) return tl::unexpected(render(program.error().front(), *source));
  made->program = std::move(*program);
  return made;
}

struct EngineSays {
  std::vector<PacketReport> packets;
  std::string unmodelled;
  bool undecided = false;
};

Outcome<EngineSays> on_engine(const Scenario& scenario, const Watch& watch) {
  const auto v4 = compile(scenario.ruleset, Family::kIpv4);
  if (!v4) return tl::unexpected(v4.error());
  const auto v6 = compile(scenario.ruleset6, Family::kIpv6);
  if (!v6) return tl::unexpected(v6.error());
  const auto program = [](const auto& compiled) {
    return (*compiled)->program ? &*(*compiled)->program : nullptr;
  };
  ListChooser chooser;
  Engine engine(scenario, program(v4), program(v6), chooser);
  EngineSays says;
  Trace trace;
  if (watch) engine.set_trace(&trace);
  const auto send = [&](const Packet& packet) {
    trace.clear();
    PacketReport report = engine.inject(packet);
    engine.observe(report);
    if (watch && chooser.made().empty()) {
      watch(says.packets.size(), packet, report, trace,
            packet.family() == Family::kIpv4 ? program(v4) : program(v6));
    }
    says.packets.push_back(std::move(report));
  };
  const auto note = [&](const char* step) {
    says.packets.emplace_back();
    says.packets.back().step = step;
  };
  try {
    for (const Step& step : scenario.steps) {
      std::visit(Overloaded{[&](const Packet& packet) { send(packet); },
                            [&](const WaitStep& wait) {
                              engine.wait(wait.milliseconds);
                              note("wait");
                            },
                            [&](const FlushStep& flush) {
                              engine.flush(flush.expectations);
                              note("flush");
                            },
                            [&](const SysctlStep& sysctl) {
                              engine.set_sysctl(sysctl.values);
                              note("sysctl");
                            }},
                 step);
    }
  } catch (const Unmodelled& unmodelled) {
    says.unmodelled = unmodelled.what();
  }
  says.undecided = !chooser.made().empty();
  return says;
}

// iptables-nft-save writes some rules in other words, so they are known by place alone.
nlohmann::json comparable(const PacketReport& report) {
  nlohmann::json json = to_json(report);
  if (!json.contains("rules")) return json;
  for (auto& rule : json["rules"]) rule.erase("rule");
  return json;
}

}  // namespace

Outcome<World*> Judge::world_for(const Scenario& scenario) {
  for (auto it = worlds_.begin(); it != worlds_.end(); ++it) {
    if (!(*it)->can_reload(scenario)) continue;
    worlds_.splice(worlds_.begin(), worlds_, it);
    if (auto done = worlds_.front()->reload(scenario); !done) {
      worlds_.pop_front();
      return tl::unexpected(done.error());
    }
    return worlds_.front().get();
  }
  auto made = World::create(scenario);
  if (!made) return tl::unexpected(made.error());
  worlds_.push_front(std::move(*made));
  if (worlds_.size() > kWorlds) worlds_.pop_back();
  return worlds_.front().get();
}

Outcome<Judge::Answers> Judge::on_linux(const Scenario& scenario) {
  using Clock = std::chrono::steady_clock;
  Answers answers;
  for (int run = 0; run < kRuns; ++run) {
    answers = {};
    const auto world = world_for(scenario);
    if (!world) return tl::unexpected(world.error());
    std::chrono::milliseconds asked{0};
    const auto start = Clock::now();
    for (const Step& step : scenario.steps) {
      if (const auto* wait = std::get_if<WaitStep>(&step)) {
        asked += std::chrono::milliseconds(wait->milliseconds);
      }
      auto report = (*world)->run(step);
      if (!report) return tl::unexpected(report.error());
      answers.packets.push_back(std::move(*report));
    }
    answers.slow = Clock::now() - start - asked > kSlowAfter;
    if (!answers.slow) break;
  }
  return answers;
}

Judged Judge::judge(const Scenario& scenario, const Watch& watch, const Scenario* for_engine) {
  Judged judged;
  const auto engine = on_engine(for_engine != nullptr ? *for_engine : scenario, watch);
  if (engine && engine->undecided) {
    judged.kind = Judged::Kind::kUndecided;
    return judged;
  }
  const auto linux = on_linux(scenario);
  if (!linux && !engine) {
    judged.kind = Judged::Kind::kRefused;
  } else if (!linux) {
    judged.lines = {"Linux refuses: " + linux.error()};
  } else if (!engine) {
    judged.lines = {"the engine refuses: " + engine.error()};
  } else if (linux->slow) {
    judged.kind = Judged::Kind::kSlow;
  } else {
    judged.unmodelled = engine->unmodelled;
    for (std::size_t i = 0; i < engine->packets.size(); ++i) {
      const auto theirs = comparable(linux->packets[i]), ours = comparable(engine->packets[i]);
      ++judged.compared;
      if (theirs == ours) continue;
      for (const std::string& line : differences(theirs, ours)) {
        judged.lines.push_back("packets[" + std::to_string(i) + "]." + line);
      }
      if (!judged.lines.empty()) break;  // what follows is a consequence, mostly
    }
  }
  return judged;
}

}  // namespace postern::kernel
