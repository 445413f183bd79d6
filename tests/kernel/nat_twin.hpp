// A scenario with NAT in the engine and on Linux. Ports that Linux draws by chance cannot be
// foretold: Linux runs first, and the engine's Chooser takes the ports that the new entries show.
// Whatever else the chooser is asked counts as undecided.
#pragma once

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/overloaded.hpp"
#include "engine/engine.hpp"
#include "kernel/run.hpp"
#include "tests/kernel/support/programs.hpp"

namespace postern::kernel {

// Takes NAT's ports from the result document of a kernel.
class LinuxPorts : public Chooser {
 public:
  explicit LinuxPorts(const nlohmann::json& document) : document_(document) {}
  void go_to(std::size_t packet) { packet_ = packet; }
  bool undecided() const { return undecided_; }
  int chosen() const { return chosen_; }

  std::uint64_t choose(const Choice& question) override {
    if (!question.why.ends_with(" port")) {
      undecided_ = true;
      return 0;
    }
    ++chosen_;
    if (question.why == "expected port") return expected(question);
    for (const nlohmann::json& entry : fresh()) {
      const auto& reply = entry["reply"];
      const char* key = reply.contains("id")            ? "id"
                        : question.why == "source port" ? "dport"
                                                        : "sport";
      if (!reply.contains(key)) continue;
      const std::uint64_t port = reply[key];
      if (port >= question.first && port < question.first + question.options) {
        return port - question.first;
      }
    }
    return 0;  // Linux has found none: the packet died
  }

 private:
  // The port of an expectation that is not the one that the question begins with.
  std::uint64_t expected(const Choice& question) const {
    const auto& packet = document_["packets"][packet_];
    if (!packet.contains("expect")) return 0;
    const auto& before = packet_ > 0 ? document_["packets"][packet_ - 1] : nlohmann::json::object();
    for (const nlohmann::json& one : packet["expect"]) {
      const auto& known = before.value("expect", nlohmann::json::array());
      if (std::find(known.begin(), known.end(), one) != known.end()) continue;
      const std::uint64_t port = one["tuple"]["dport"];
      if (port >= question.first && port - question.first < question.options) {
        return port - question.first;
      }
    }
    return 0;
  }

  static std::string name(const nlohmann::json& entry) {
    return entry["orig"].dump() + entry["proto"].dump() +
           entry.value("zone", nlohmann::json()).dump();
  }
  // Entries that are there after this packet and were not before.
  std::vector<nlohmann::json> fresh() const {
    std::vector<std::string> old;
    if (packet_ > 0) {
      const auto& before = document_["packets"][packet_ - 1];
      if (before.contains("conntrack")) {
        for (const auto& entry : before["conntrack"]) old.push_back(name(entry));
      }
    }
    std::vector<nlohmann::json> made;
    const auto& after = document_["packets"][packet_];
    if (!after.contains("conntrack")) return made;
    for (const auto& entry : after["conntrack"]) {
      if (std::find(old.begin(), old.end(), name(entry)) == old.end()) made.push_back(entry);
    }
    return made;
  }

  const nlohmann::json& document_;
  std::size_t packet_ = 0;
  bool undecided_ = false;
  int chosen_ = 0;
};

struct NatTwin {
  nlohmann::json linux_says, engine_says;
  std::string unmodelled;  // the engine stopped and said why
  bool undecided = false;  // a match or target that the text does not decide
  int ports_chosen = 0;
};

// The rulesets of a scenario, which must load, with their programs.
class Programs {
 public:
  explicit Programs(const Scenario& scenario)
      : v4_(loaded(scenario.ruleset, Family::kIpv4, scenario.backend)),
        v6_(loaded(scenario.ruleset6, Family::kIpv6, scenario.backend)) {}
  const Program* of(Family family) const { return (family == Family::kIpv4 ? v4_ : v6_)->get(); }

 private:
  static std::unique_ptr<Compiled> loaded(const std::optional<std::string>& text, Family family,
                                          Backend backend) {
    auto compiled = compile(text, family, backend);
    if (!compiled) throw std::runtime_error(compiled.error());
    return std::move(*compiled);
  }
  std::unique_ptr<Compiled> v4_, v6_;
};

inline PacketReport take_step(const Step& step, Engine& engine) {
  PacketReport report;
  std::visit(Overloaded{[&](const Packet& packet) {
                          report = engine.inject(packet);
                          engine.observe(report);
                        },
                        [&](const WaitStep& s) {
                          engine.wait(s.milliseconds);
                          report.step = "wait";
                        },
                        [&](const FlushStep& s) {
                          engine.flush(s.expectations);
                          report.step = "flush";
                        },
                        [&](const SysctlStep& s) {
                          engine.set_sysctl(s.values);
                          report.step = "sysctl";
                        }},
             step);
  return report;
}

inline Outcome<NatTwin> run_twin(const Scenario& scenario) {
  NatTwin twin;
  auto document = run(scenario);
  if (!document) return tl::unexpected(document.error());
  twin.linux_says = std::move(*document);
  const Programs programs(scenario);
  LinuxPorts ports(twin.linux_says);
  Engine engine(scenario, programs.of(Family::kIpv4), programs.of(Family::kIpv6), ports);
  ScenarioReport report;
  try {
    for (const Step& step : scenario.steps) {
      ports.go_to(report.packets.size());
      report.packets.push_back(take_step(step, engine));
    }
  } catch (const Unmodelled& unmodelled) {
    twin.unmodelled = unmodelled.what();
  }
  twin.engine_says = to_json(report);
  twin.undecided = ports.undecided();
  twin.ports_chosen = ports.chosen();
  return twin;
}

}  // namespace postern::kernel
