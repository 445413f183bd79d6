#include "engine/engine.hpp"

#include "engine/pipeline.hpp"
#include "engine/view.hpp"

namespace postern {

struct Engine::Impl {
  Impl(const Scenario& world, const Program* v4, const Program* v6, Chooser& chooser)
      : pipeline(world, v4, v6, chooser), both(v4 != nullptr && v6 != nullptr) {
    pipeline.set_points(world.trace);
  }

  Verdict run(const Packet& packet, PacketReport* report) {
    if (is_readable(packet)) return pipeline.inject(packet, report);
    return pipeline.inject(readable(packet), report);
  }

  Pipeline pipeline;
  bool both;  // rulesets of both families: hits name theirs
};

Engine::Engine(const Scenario& world, const Program* v4, const Program* v6, Chooser& chooser)
    : impl_(std::make_unique<Impl>(world, v4, v6, chooser)) {}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;

PacketReport Engine::inject(const Packet& packet) {
  PacketReport report;
  impl_->run(packet, &report);
  return report;
}

Verdict Engine::run(const Packet& packet) { return impl_->run(packet, nullptr); }

void Engine::wait(std::uint32_t milliseconds) { impl_->pipeline.wait(milliseconds); }

void Engine::flush(bool expectations) {
  ConntrackTable& table = impl_->pipeline.conntrack();
  if (expectations) {
    table.expectations().clear();
  } else {
    table.flush();
  }
}

void Engine::set_sysctl(const std::map<std::string, std::string>& values) {
  for (const auto& [key, value] : values) impl_->pipeline.set_sysctl(key, value);
}

bool Engine::tracks(Family family) const { return impl_->pipeline.tracks(family); }

std::vector<EntryReport> Engine::entries() const { return impl_->pipeline.conntrack().report(); }

Hits Engine::hits() const {
  Hits hits;
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    const Walker* walker = impl_->pipeline.walker(family);
    if (walker == nullptr) continue;
    walker->collect(hits, impl_->both ? std::optional(family) : std::nullopt);
  }
  return hits;
}

void Engine::clear_hits() {
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    if (Walker* walker = impl_->pipeline.walker(family)) walker->clear();
  }
}

void Engine::observe(PacketReport& report) {
  Hits now = hits();
  report.rules = std::move(now.rules);
  report.policies = std::move(now.policies);
  report.conntrack = entries();
  const ConntrackTable& table = impl_->pipeline.conntrack();
  report.expect = table.expectations().report(table.now());
  clear_hits();
}

void Engine::set_trace(Trace* trace) { impl_->pipeline.set_trace(trace); }

}  // namespace postern
