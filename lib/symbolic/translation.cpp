#include "symbolic/translation.hpp"

#include <algorithm>
#include <iterator>

namespace postern {
namespace {

// More ways to be bound than this are not followed: each costs walks of its own.
constexpr std::size_t kMostRanges = 24;

// Addresses that routing treats like any other host's.
bool plain(u128 low, u128 high, Family family) {
  if (low > high) return false;
  if (family == Family::kIpv6) {
    const u128 multicast = u128{0xff} << 120, link = u128{0x3fa} << 118;
    const u128 link_end = (u128{0x3fb} << 118) - 1;
    return low > 1 && high < multicast && (high < link || low > link_end);
  }
  constexpr u128 kZeroEnd = 0x00ffffff, kLoop = 0x7f000000, kLoopEnd = 0x7fffffff;
  return low > kZeroEnd && high < 0xe0000000 && (high < kLoop || low > kLoopEnd);
}

}  // namespace

bool changes_destination(const Nat& target, Hook hook) {
  switch (target.kind) {
    case Nat::Kind::kDestination:
    case Nat::Kind::kRedirect:
      return true;
    case Nat::Kind::kSource:
    case Nat::Kind::kMasquerade:
      return false;
    case Nat::Kind::kNetmap:
      break;
  }
  return hook == Hook::kPrerouting || hook == Hook::kOutput;
}

std::optional<EndRange> end_range(const Nat& target, Family family) {
  EndRange range;
  const bool source = target.kind == Nat::Kind::kSource || target.kind == Nat::Kind::kMasquerade;
  if (target.low) {
    range.address = {target.low->value, target.high->value};
  } else if (target.network) {
    const u128 rest = ~target.network->mask & low_bits(address_bits(family));
    const u128 first = target.network->address.value & ~rest;
    range.address = {first, first | rest};
  } else {
    range.keeps_address =
        target.kind == Nat::Kind::kSource || target.kind == Nat::Kind::kDestination;
  }
  if (range.address && !plain(range.address->first, range.address->second, family)) {
    return std::nullopt;
  }
  if (target.port_low != 0 || target.port_high != 0) {
    range.port = {std::min(target.port_low, target.port_high),
                  std::max(target.port_low, target.port_high)};
  } else {
    // A source port that is taken, or to be random, becomes another one.
    range.keeps_port = !source && !target.random && target.kind != Nat::Kind::kNetmap;
  }
  return range;
}

Translations::Translations(const Program& program) {
  at_prerouting_.resize(program.rules().size());
  at_postrouting_.resize(program.rules().size());
  const Family family = program.ruleset().family;
  for (RuleId r = 0; r < program.rules().size(); ++r) {
    const Effect* effect = std::get_if<Effect>(&program.rules()[r].rule->action);
    const Nat* nat = effect == nullptr ? nullptr : std::get_if<Nat>(effect);
    if (nat == nullptr) continue;
    some_ = true;
    const auto range = end_range(*nat, family);
    if (!range) {
      beyond_ = true;
      continue;
    }
    if (changes_destination(*nat, Hook::kPrerouting)) {
      at_prerouting_[r] = number(*range, destinations_);
    }
    if (!changes_destination(*nat, Hook::kPostrouting)) {
      at_postrouting_[r] = number(*range, sources_);
    }
  }
  if (some_ && shows_clash(program)) {
    EndRange other_port;
    other_port.keeps_address = true;
    ranges_.push_back(other_port);
    clash_ = static_cast<std::uint8_t>(ranges_.size());
  }
}

bool Translations::shows_clash(const Program& program) {
  return std::ranges::any_of(program.rules(), [&](const ProgramRule& rule) {
    const TableName table = program.chains()[rule.chain].table;
    const bool early = table == TableName::kRaw || table == TableName::kMangle;
    return std::ranges::any_of(rule.rule->clauses, [&](const Clause& clause) {
      const Predicate& p = *clause.predicate;
      return tests_field(p, Field::kCtStatus) || tests_field(p, Field::kCtReplyDestinationPort) ||
             tests_field(p, Field::kCtReplySourcePort) ||
             (early && tests_field(p, Field::kDestinationPort)) ||
             (table == TableName::kSecurity && tests_field(p, Field::kSourcePort));
    });
  });
}

std::uint8_t Translations::number(const EndRange& range, std::vector<std::uint8_t>& list) {
  auto at = std::ranges::find(ranges_, range);
  if (at == ranges_.end()) {
    if (ranges_.size() >= kMostRanges) {
      beyond_ = true;
      return 0;
    }
    ranges_.push_back(range);
    at = std::prev(ranges_.end());
  }
  const auto result = static_cast<std::uint8_t>(at - ranges_.begin() + 1);
  if (std::ranges::find(list, result) == list.end()) list.push_back(result);
  return result;
}

std::uint8_t Translations::range_of(RuleId rule, Hook hook) const {
  if (hook == Hook::kPrerouting) return at_prerouting_[rule];
  return hook == Hook::kPostrouting ? at_postrouting_[rule] : std::uint8_t{0};
}

bool Translations::follows(Hook hook, FlowEnd sender, Path flow_path) {
  if (flow_path == Path::kLoopback) return false;
  return hook == Hook::kPostrouting || (hook == Hook::kPrerouting && sender == FlowEnd::kInitiator);
}

bool Translations::may_stray(Path path) const {
  if (!moves_destination(path)) return false;
  return std::ranges::any_of(destinations_, [&](std::uint8_t d) {
    const EndRange& to = range(d);
    return !to.keeps_address && (path == Path::kForward || to.address);
  });
}

std::vector<EndRange> Translations::sources() const {
  std::vector<EndRange> result;
  for (const std::uint8_t s : sources_) result.push_back(range(s));
  if (beyond_) result.emplace_back();
  return result;
}

std::vector<NatVariant> Translations::variants(Path path) const {
  std::vector<NatVariant> result;
  if (path == Path::kLoopback) return result;
  for (const FlowEnd originator : {FlowEnd::kInitiator, FlowEnd::kResponder}) {
    const Path own = originator == FlowEnd::kInitiator ? path : reverse(path);
    std::vector<std::uint8_t> destinations{0}, sources{0};
    if (own != Path::kOut && originator == FlowEnd::kInitiator) {
      // REDIRECT stays on this host.
      std::ranges::copy_if(destinations_, std::back_inserter(destinations), [&](std::uint8_t d) {
        return own == Path::kIn || ranges_[d - 1].keeps_address || ranges_[d - 1].address;
      });
    }
    if (own != Path::kIn) sources.insert(sources.end(), sources_.begin(), sources_.end());
    for (const std::uint8_t d : destinations) {
      for (const std::uint8_t s : sources) {
        if (d != 0 || s != 0) result.push_back({originator, d, s});
      }
    }
  }
  if (clash_ == 0) return result;
  for (const FlowEnd originator : {FlowEnd::kInitiator, FlowEnd::kResponder}) {
    result.push_back({originator, 0, clash_});
  }
  return result;
}

}  // namespace postern
