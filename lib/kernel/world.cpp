// Order matters: our empty chains, then the rulesets, then what is on is found out, then our rules
// (observer.hpp says why). Covered by tests/kernel/harness_test.cpp.
#include "kernel/world.hpp"

#include <net/if.h>
#include <time.h>

#include <algorithm>
#include <map>

#include "base/overloaded.hpp"
#include "kernel/conntrack.hpp"
#include "kernel/counters.hpp"
#include "kernel/fate.hpp"
#include "kernel/observer.hpp"
#include "kernel/setup.hpp"
#include "kernel/wire.hpp"

namespace postern::kernel {
namespace {

// How long to wait for a packet that left POSTROUTING and is not yet seen at its end.
constexpr int kPatienceMs = 20;
constexpr Family kFamilies[] = {Family::kIpv4, Family::kIpv6};

// Is there a line "*raw" (blanks may stand behind the asterisk and the name)?
bool names_table(std::string_view ruleset, TableName table) {
  while (!ruleset.empty()) {
    const std::size_t end = std::min(ruleset.find('\n'), ruleset.size());
    std::string_view line = ruleset.substr(0, end);
    ruleset.remove_prefix(std::min(end + 1, ruleset.size()));
    if (!line.starts_with('*')) continue;
    line.remove_prefix(std::min(line.find_first_not_of(" \t", 1), line.size()));
    if (line.substr(0, line.find_first_of(" \t\r")) == text(table)) return true;
  }
  return false;
}

void pause(std::uint32_t milliseconds) {
  const timespec span{milliseconds / 1000, static_cast<long>(milliseconds % 1000) * 1'000'000};
  nanosleep(&span, nullptr);
}

// Everything of a scenario but its rulesets and packets, as text.
std::string environment_of(const Scenario& scenario) {
  Scenario rest = scenario;
  rest.ruleset.reset();
  rest.ruleset6.reset();
  rest.steps.clear();
  rest.choices.clear();
  rest.trace = false;
  rest.observe = Observe::kEach;
  rest.tracking = TrackingMode::kAuto;
  return write_scenario(rest);
}

bool has_nat(const RuleTexts& texts) {
  return std::find(texts.tables.begin(), texts.tables.end(), TableName::kNat) != texts.tables.end();
}

std::size_t index(Family family) { return family == Family::kIpv4 ? 0 : 1; }

// A lone middle fragment to the host itself: defragmentation, when on, keeps it for ever.
Packet probe_packet(Family family) {
  Packet packet;
  const char* self = family == Family::kIpv4 ? "127.0.0.1" : "::1";
  packet.source = packet.destination = *Address::parse(self);
  packet.protocol = 253;  // RFC 3692: for experiments
  packet.ip_id = 0x9057;
  packet.fragment_offset = 64;
  packet.more_fragments = true;
  packet.payload = Bytes(8, 0);
  return packet;
}

class RealWorld : public World {
 public:
  RealWorld(NetNamespace space, Observer observer, ConntrackView conntrack)
      : space_(std::move(space)),
        observer_(std::move(observer)),
        conntrack_(std::move(conntrack)) {}

  Outcome<void> build(const Scenario& scenario);
  Outcome<void> load(const Scenario& scenario);
  Outcome<PacketReport> run(const Step& step, bool observe) override;
  Outcome<void> observe(PacketReport& report) override;
  bool can_reload(const Scenario& scenario) const override;
  Outcome<void> reload(const Scenario& scenario) override;
  Outcome<NetNamespace::Entered> enter() const override { return space_.enter(); }
  bool tracks(Family family) const override { return tracks_[index(family)]; }

 private:
  Outcome<void> load_family(Family family, Backend backend, const std::string& ruleset, bool label);
  Outcome<bool> defragments(Family family);
  Outcome<void> detect_tracking(const Scenario& scenario, Family family);
  Outcome<void> send(const Packet& packet, PacketReport& report);
  void collect(std::vector<Sighting>& sightings, std::vector<Capture>& captures);
  std::string interface_name(std::uint32_t number) const;

  NetNamespace space_;
  Observer observer_;
  ConntrackView conntrack_;
  LocalSender sender_;
  std::vector<Tun> tuns_;
  std::map<std::uint32_t, std::string> names_;
  std::vector<CounterWatch> watches_;
  RuleTexts loaded_[2];      // by family
  std::string environment_;  // what a reload cannot change
  bool tracks_[2] = {false, false};
  bool helpers_ = false, trace_ = false;
};

Outcome<void> RealWorld::build(const Scenario& scenario) {
  for (const Interface& interface : scenario.interfaces) {
    if (interface.name == "lo") continue;
    auto tun = Tun::create(interface.name);
    if (!tun) return tl::unexpected(tun.error());
    tuns_.push_back(std::move(*tun));
  }
  if (auto done = configure_interfaces(scenario); !done) return done;
  for (const Interface& interface : scenario.interfaces) {
    names_[if_nametoindex(interface.name.c_str())] = interface.name;
  }
  if (auto done = set_sysctls(scenario); !done) return done;
  if (scenario.ipset) {
    if (auto done = load_ipsets(*scenario.ipset); !done) return done;
  }
  return load(scenario);
}

Outcome<void> RealWorld::load_family(Family family, Backend backend, const std::string& ruleset,
                                     bool label) {
  auto texts = load_ruleset(family, backend, ruleset, loaded_[index(family)]);
  if (!texts) return tl::unexpected(texts.error());
  loaded_[index(family)] = *texts;
  // Tables that only an earlier ruleset had are there, but no part of this one.
  std::erase_if(texts->tables, [&](TableName table) { return !names_table(ruleset, table); });
  auto source = backend == Backend::kNft ? nft_counters(family, texts->tables)
                                         : legacy_counters(family, texts->tables);
  if (!source) return tl::unexpected(source.error());
  if (ruleset.find("--helper") != std::string::npos) helpers_ = true;
  watches_.emplace_back(std::move(*source), std::move(*texts),
                        label ? std::optional(family) : std::nullopt);
  return {};
}

Outcome<void> RealWorld::load(const Scenario& scenario) {
  trace_ = scenario.trace;
  environment_ = environment_of(scenario);
  const bool both = scenario.ruleset && scenario.ruleset6;
  for (Family family : kFamilies) {
    const auto& ruleset = family == Family::kIpv4 ? scenario.ruleset : scenario.ruleset6;
    if (!ruleset && loaded_[index(family)].tables.empty()) continue;
    auto done = load_family(family, scenario.backend, ruleset.value_or(""), both);
    if (!done) return done;
    if (!ruleset) watches_.pop_back();
  }
  for (Family family : kFamilies) {
    if (auto done = detect_tracking(scenario, family); !done) return done;
    if (auto done = observer_.arm(family, tracks(family)); !done) return done;
  }
  PacketReport baseline;
  return observe(baseline);
}

// Does this family's OUTPUT defragment? Then the probe never reaches the trap behind it.
Outcome<bool> RealWorld::defragments(Family family) {
  if (auto done = observer_.set_probe(family, true); !done) return tl::unexpected(done.error());
  if (auto done = sender_.send(probe_packet(family)); !done) return tl::unexpected(done.error());
  std::vector<Sighting> seen;
  observer_.read(seen);
  const bool trapped = std::any_of(seen.begin(), seen.end(), [](const Sighting& sighting) {
    return sighting.stage == Sighting::Stage::kProbe;
  });
  if (auto done = observer_.set_probe(family, false); !done) return tl::unexpected(done.error());
  return !trapped;
}

Outcome<void> RealWorld::detect_tracking(const Scenario& scenario, Family family) {
  bool& tracks = tracks_[index(family)];
  if (scenario.tracking == TrackingMode::kOn) {
    tracks = true;
    return {};
  }
  const auto& ruleset = family == Family::kIpv4 ? scenario.ruleset : scenario.ruleset6;
  const bool mentioned = ruleset && mentions_tracking(*ruleset);
  const auto defragmenting = defragments(family);
  if (!defragmenting) return tl::unexpected(defragmenting.error());
  tracks = *defragmenting;
  if (tracks && ruleset && defragments_by_itself(*ruleset) && !mentioned) tracks = false;
  if (tracks && scenario.tracking == TrackingMode::kOff) {
    return tl::unexpected(
        std::string("conntrack \"off\" is asked for, but the ruleset switches tracking on"));
  }
  return {};
}

bool RealWorld::can_reload(const Scenario& scenario) const {
  if (environment_of(scenario) != environment_) return false;
  for (Family family : kFamilies) {
    const auto& ruleset = family == Family::kIpv4 ? scenario.ruleset : scenario.ruleset6;
    const bool wants_nat = ruleset && ruleset->find("*nat") != std::string::npos;
    if (has_nat(loaded_[index(family)]) && !wants_nat) return false;
    // nf_tables frees rules some time after they are gone: until then they keep tracking on.
    if (tracks(family) && !(ruleset && mentions_tracking(*ruleset))) return false;
  }
  return true;
}

Outcome<void> RealWorld::reload(const Scenario& scenario) {
  const auto inside = space_.enter();
  if (!inside) return tl::unexpected(inside.error());
  watches_.clear();
  helpers_ = false;
  if (auto done = observer_.disarm(); !done) return done;
  if (auto done = conntrack_.flush(); !done) return done;
  return load(scenario);
}

std::string RealWorld::interface_name(std::uint32_t number) const {
  const auto found = names_.find(number);
  return found == names_.end() ? std::string() : found->second;
}

void RealWorld::collect(std::vector<Sighting>& sightings, std::vector<Capture>& captures) {
  observer_.read(sightings);
  for (Tun& tun : tuns_) tun.read(captures);
  const auto names = [this](std::uint32_t number) { return interface_name(number); };
  const std::string pending = pending_device(sightings, captures, names);
  if (pending == "lo") observer_.read(sightings, kPatienceMs);
  for (Tun& tun : tuns_) {
    if (tun.name() == pending) tun.read(captures, kPatienceMs);
  }
}

Outcome<void> RealWorld::send(const Packet& packet, PacketReport& report) {
  report.name = packet.name;
  if (packet.local()) {
    const auto inside = space_.enter();
    if (!inside) return tl::unexpected(inside.error());
    if (auto done = sender_.send(packet); !done) return done;
  } else {
    const auto tun = std::find_if(tuns_.begin(), tuns_.end(),
                                  [&](const Tun& item) { return item.name() == packet.in; });
    if (tun == tuns_.end()) {
      return tl::unexpected("nothing can arrive on " + packet.in + ": it is no wire of this world");
    }
    for (const Bytes& bytes : to_wire(packet)) tun->inject(bytes);
  }
  std::vector<Sighting> sightings;
  std::vector<Capture> captures;
  collect(sightings, captures);
  const auto names = [this](std::uint32_t number) { return interface_name(number); };
  judge(packet, sightings, captures, names, report);
  if (trace_) report.trace = trace_of(sightings, names);
  return {};
}

Outcome<PacketReport> RealWorld::run(const Step& step, bool observing) {
  PacketReport report;
  const auto done = std::visit(
      Overloaded{[&](const Packet& packet) -> Outcome<void> {
                   if (auto sent = send(packet, report); !sent) return sent;
                   return observing ? observe(report) : Outcome<void>();
                 },
                 [&](const WaitStep& wait) -> Outcome<void> {
                   report.step = "wait";
                   pause(wait.milliseconds);
                   return {};
                 },
                 [&](const FlushStep& flush) -> Outcome<void> {
                   report.step = "flush";
                   return flush.expectations ? conntrack_.flush_expectations() : conntrack_.flush();
                 },
                 [&](const SysctlStep& sysctl) -> Outcome<void> {
                   report.step = "sysctl";
                   const auto inside = space_.enter();
                   if (!inside) return tl::unexpected(inside.error());
                   for (const auto& [name, value] : sysctl.values) {
                     if (auto set = write_sysctl(name, value); !set) return set;
                   }
                   return {};
                 }},
      step);
  if (!done) return tl::unexpected(done.error());
  return report;
}

Outcome<void> RealWorld::observe(PacketReport& report) {
  for (CounterWatch& watch : watches_) {
    if (auto done = watch.hits(report.rules, report.policies); !done) return done;
  }
  auto entries = conntrack_.entries();
  if (!entries) return tl::unexpected(entries.error());
  report.conntrack = std::move(*entries);
  if (!helpers_) return {};
  auto expectations = conntrack_.expectations();
  if (!expectations) return tl::unexpected(expectations.error());
  report.expect = std::move(*expectations);
  return {};
}

}  // namespace

Outcome<std::unique_ptr<World>> World::create(const Scenario& scenario) {
  auto space = NetNamespace::create();
  if (!space) return tl::unexpected(space.error());
  const auto inside = space->enter();
  if (!inside) return tl::unexpected(inside.error());
  if (auto done = set_defaults(); !done) return tl::unexpected(done.error());
  auto conntrack = ConntrackView::open();
  if (!conntrack) return tl::unexpected(conntrack.error());
  auto observer = Observer::create();
  if (!observer) return tl::unexpected(observer.error());
  auto world =
      std::make_unique<RealWorld>(std::move(*space), std::move(*observer), std::move(*conntrack));
  if (auto done = world->build(scenario); !done) return tl::unexpected(done.error());
  return world;
}

}  // namespace postern::kernel
