#include "engine/expectation.hpp"

#include <algorithm>

namespace postern {
namespace {

constexpr std::uint64_t kLifetime = 300'000;  // milliseconds, of all three helpers

bool same_destination(const CtTuple& a, const CtTuple& b) {
  return a.family == b.family && a.protocol == b.protocol && a.destination == b.destination &&
         a.destination_key == b.destination_key;
}

bool same_zone(const Expectation& a, const Expectation& b) {
  return a.master.lock()->zone().id() == b.master.lock()->zone().id();
}

bool clash(const Expectation& a, const Expectation& b) {
  const bool any_source = a.any_source || b.any_source;
  return same_destination(a.tuple, b.tuple) && same_zone(a, b) &&
         (any_source || a.tuple.source == b.tuple.source);
}

bool same_master(const Expectation& a, const Expectation& b) {
  return a.master.lock() == b.master.lock();
}

bool same(const Expectation& a, const Expectation& b) {
  return same_master(a, b) && clash(a, b) && a.any_source == b.any_source;
}

}  // namespace

bool ExpectationTable::lives(const Expectation& expectation, std::uint64_t now) {
  const auto master = expectation.master.lock();
  return master && !master->dying && expectation.deadline > now;
}

void ExpectationTable::clean(std::uint64_t now) {
  list_.remove_if([&](const Expectation& one) { return !lives(one, now); });
}

ExpectationTable::Added ExpectationTable::add(Expectation made, std::size_t most,
                                              std::uint64_t now) {
  clean(now);
  for (auto at = list_.begin(); at != list_.end(); ++at) {
    if (same(*at, made)) {
      list_.erase(at);
      break;
    }
    if (clash(*at, made)) return Added::kBusy;
  }
  const auto of_master = [&](const Expectation& one) { return same_master(one, made); };
  if (static_cast<std::size_t>(std::ranges::count_if(list_, of_master)) >= most) {
    const auto oldest = std::find_if(list_.rbegin(), list_.rend(), of_master);
    list_.erase(std::next(oldest).base());
  }
  made.deadline = now + kLifetime;
  list_.push_front(std::move(made));
  return Added::kYes;
}

std::optional<Expectation> ExpectationTable::take(const CtTuple& tuple, std::uint16_t zone,
                                                  std::uint64_t now) {
  if (list_.empty()) return std::nullopt;
  clean(now);
  const auto at = std::ranges::find_if(list_, [&](const Expectation& one) {
    return same_destination(one.tuple, tuple) && one.master.lock()->zone().id() == zone &&
           (one.any_source || one.tuple.source == tuple.source);
  });
  // A master that has not left this host yet cannot have told anybody.
  if (at == list_.end() || !at->master.lock()->confirmed()) return std::nullopt;
  Expectation taken = std::move(*at);
  list_.erase(at);
  return taken;
}

std::vector<ExpectationReport> ExpectationTable::report(std::uint64_t now) const {
  std::vector<ExpectationReport> reports;
  for (const Expectation& one : list_) {
    if (!lives(one, now)) continue;
    const auto master = one.master.lock();
    ExpectationReport report;
    report.protocol = one.tuple.protocol;
    report.tuple = one.tuple.report();
    CtTuple mask = one.tuple;
    mask.source = one.any_source ? 0 : low_bits(address_bits(mask.family));
    mask.destination = low_bits(address_bits(mask.family));
    mask.source_key = 0;
    mask.destination_key = 0xffff;
    report.mask = mask.report();
    report.master = master->original.report();
    report.helper = master->helper;  // the zone is the master's; Linux does not report it
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace postern
