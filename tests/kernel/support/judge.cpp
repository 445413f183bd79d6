// Both sides of the comparison. Worlds are kept and reloaded: making one costs more than a hundred
// packets. Covered by campaign_test.cpp.
#include "tests/kernel/support/judge.hpp"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <tuple>

#include "base/overloaded.hpp"
#include "engine/engine.hpp"
#include "engine/fragments.hpp"
#include "scenario/serialise.hpp"
#include "tests/kernel/support/drawn_ports.hpp"
#include "tests/kernel/support/programs.hpp"

namespace postern::kernel {
namespace {

constexpr std::size_t kWorlds = 6;
constexpr int kRuns = 3;
constexpr std::chrono::milliseconds kSlowAfter{1500};

struct EngineSays {
  std::vector<PacketReport> packets;
  std::string unmodelled;
  bool undecided = false;
  std::size_t guessed_at = 0;
};

Outcome<EngineSays> on_engine(const Scenario& scenario, const std::vector<PacketReport>& linux,
                              const Watch& watch) {
  const auto v4 = compile(scenario.ruleset, Family::kIpv4, scenario.backend);
  if (!v4) return tl::unexpected(v4.error());
  const auto v6 = compile(scenario.ruleset6, Family::kIpv6, scenario.backend);
  if (!v6) return tl::unexpected(v6.error());
  DrawnPorts ports(linux);
  Engine engine(scenario, (*v4)->get(), (*v6)->get(), ports);
  EngineSays says;
  Trace trace;
  if (watch) engine.set_trace(&trace);
  const auto send = [&](const Packet& packet) {
    trace.clear();
    ports.go_to(says.packets.size());
    PacketReport report = engine.inject(packet);
    engine.observe(report);
    if (watch && !ports.undecided()) {
      watch(says.packets.size(), packet, report, trace,
            packet.family() == Family::kIpv4 ? (*v4)->get() : (*v6)->get());
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
  says.undecided = ports.undecided();
  says.guessed_at = ports.guessed_at();
  return says;
}

// iptables-nft-save writes some rules in other words, so they are known by place alone.
nlohmann::json comparable(const PacketReport& report) {
  nlohmann::json json = to_json(report);
  if (!json.contains("rules")) return json;
  for (auto& rule : json["rules"]) rule.erase("rule");
  return json;
}

bool same(const std::vector<Packet>& left, const std::vector<Packet>& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const Packet& a, const Packet& b) {
                      return a.in == b.in && a.mark == b.mark && to_bytes(a) == to_bytes(b);
                    });
}
bool same(const std::vector<RuleHit>& left, const std::vector<RuleHit>& right) {
  const auto before = [](const RuleHit& a, const RuleHit& b) {
    return std::tie(a.table, a.chain, a.number) < std::tie(b.table, b.chain, b.number);
  };
  std::vector<RuleHit> a = left, b = right;
  std::sort(a.begin(), a.end(), before);
  std::sort(b.begin(), b.end(), before);
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const RuleHit& x, const RuleHit& y) {
    return std::tie(x.table, x.chain, x.number, x.packets, x.bytes, x.family) ==
           std::tie(y.table, y.chain, y.number, y.packets, y.bytes, y.family);
  });
}
bool same(std::vector<EntryReport> left, std::vector<EntryReport> right) {
  if (left.size() != right.size()) return false;
  for (auto* side : {&left, &right}) {
    for (EntryReport& entry : *side) entry.tcp_flags.reset();  // only Linux shows them
    std::sort(side->begin(), side->end());
  }
  return left == right;
}

// Surely equal, without the documents that name a difference: those take most of the time.
bool same(const PacketReport& linux, const PacketReport& engine) {
  const auto same_out = [](const auto& a, const auto& b) {
    return a.second == b.second && to_bytes(a.first) == to_bytes(b.first);
  };
  const auto same_answer = [](const ReplyReport& a, const ReplyReport& b) {
    return std::tie(a.out, a.state, a.reply_direction, a.fate) ==
               std::tie(b.out, b.state, b.reply_direction, b.fate) &&
           to_bytes(a.packet) == to_bytes(b.packet);
  };
  return linux.verdict == engine.verdict && linux.died_at == engine.died_at &&
         linux.step == engine.step && linux.state == engine.state &&
         linux.reply_direction == engine.reply_direction && linux.expect == engine.expect &&
         std::equal(linux.replies.begin(), linux.replies.end(), engine.replies.begin(),
                    engine.replies.end(), same_answer) &&
         std::equal(linux.out.begin(), linux.out.end(), engine.out.begin(), engine.out.end(),
                    same_out) &&
         same(linux.delivered, engine.delivered) && same(linux.rules, engine.rules) &&
         same(linux.policies, engine.policies) && same(linux.conntrack, engine.conntrack);
}

// Without tracking rules may stop one fragment of a packet and let the others be delivered. Those
// wait half a minute or a whole one in the host; then it answers, into another scenario perhaps.
bool leaves_fragments(const Scenario& scenario, const World& world) {
  return std::any_of(scenario.steps.begin(), scenario.steps.end(), [&](const Step& step) {
    const auto* packet = std::get_if<Packet>(&step);
    return packet != nullptr && !world.tracks(packet->family()) &&
           (packet->fragment_size != 0 || is_fragment(*packet));
  });
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
    if (leaves_fragments(scenario, **world)) worlds_.pop_front();
    if (!answers.slow) break;
  }
  return answers;
}

Judged Judge::judge(const Scenario& scenario, const Watch& watch, const Scenario* for_engine) {
  Judged judged;
  const auto linux = on_linux(scenario);
  const auto engine = on_engine(for_engine != nullptr ? *for_engine : scenario,
                                linux ? linux->packets : std::vector<PacketReport>(), watch);
  if (engine && engine->undecided) {
    judged.kind = Judged::Kind::kUndecided;
  } else if (!linux && !engine) {
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
      ++judged.compared;
      if (same(linux->packets[i], engine->packets[i])) continue;
      for (const std::string& line :
           differences(comparable(linux->packets[i]), comparable(engine->packets[i]))) {
        judged.lines.push_back("packets[" + std::to_string(i) + "]." + line);
      }
      if (judged.lines.empty()) continue;
      if (i >= engine->guessed_at) {
        judged.lines.clear();
        judged.kind = Judged::Kind::kUndecided;
        judged.unmodelled = "a port that nobody saw";
      }
      break;  // what follows is a consequence, mostly
    }
  }
  return judged;
}

}  // namespace postern::kernel
