// What a campaign has reached: whether the random runs interact at all. Counted from the engine's
// trace of every packet that was compared with Linux. Covered by campaign_test.cpp.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/kernel/support/judge.hpp"
#include "tests/kernel/support/scenarios.hpp"

namespace postern::kernel {

class Coverage {
 public:
  struct Count {
    std::uint64_t yes = 0, no = 0;
  };
  std::uint64_t packets = 0, dropped = 0, passed = 0, existing = 0, nated = 0;
  std::uint64_t answers = 0, rule_hits = 0;
  std::map<std::string, std::uint64_t> verdicts, states, families, backends, targets;
  std::map<std::string, Count> matches;  // by module, and "! module" ones with it
  // The same for extensions of the registry, by name and family: "ah 4". Of targets, hits.
  std::map<std::string, Count> matches_of;
  std::map<std::string, std::uint64_t> targets_of;
  static std::string key(std::string_view name, Family family) {
    return std::string(name) + (family == Family::kIpv4 ? " 4" : " 6");
  }
  // By kind of traffic ("an error about a live flow"), the kinds that reaches() lists and more.
  std::map<std::string, std::uint64_t> reached;
  // By table ("loose1", "loose0", "liberal"), then cell.
  std::map<std::string, std::map<TcpCellAim, std::uint64_t>> cells;

  Coverage() = default;
  // Of one scenario.
  explicit Coverage(const MadeScenario& made);
  void add(std::size_t step, const Packet& packet, const PacketReport& report, const Trace& trace,
           const Program* program);
  // Adds what another has counted.
  void merge(const Coverage& other);

  std::string summary() const;
  // The keys of `reached` that a whole campaign must have.
  static const std::vector<std::string>& reaches();

 private:
  struct Flow {
    bool clean = false;  // every packet of the walk so far did what it should
    std::string state;   // of the entry that the walk has made; empty: none
  };
  void add_rules(const Trace& trace, const Program& program);
  void add_reached(const Packet& packet, const PacketReport& report);
  void add_odd(const Packet& packet, const std::string& state);
  std::string rarest_of(const std::string& table, const std::vector<TcpCellAim>& all) const;
  void add_cell(std::size_t step, const PacketReport& report);

  const MadeScenario* made_ = nullptr;
  std::string table_;
  std::map<int, Flow> flows_;
  CtState state_ = CtState::kInvalid;  // of the packet that is being added
};

}  // namespace postern::kernel
