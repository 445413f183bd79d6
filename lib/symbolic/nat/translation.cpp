#include "symbolic/nat/translation.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <iterator>

#include "symbolic/sets/netmap.hpp"

namespace postern {
namespace {

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

// Is every address of the target one of 127.0.0.0/8?
bool only_loopback4(const Nat& target) {
  if (target.low) return (target.low->value >> 24) == 127 && (target.high->value >> 24) == 127;
  return target.network && (target.network->mask >> 24) == 0xff &&
         (target.network->address.value >> 24) == 127;
}

// Does a rule of such a table test one of the fields?
template <class Table>
bool tests_any(const Program& program, std::initializer_list<Field> fields, const Table& wanted) {
  return std::ranges::any_of(program.rules(), [&](const ProgramRule& rule) {
    if (!wanted(program.chains()[rule.chain].table)) return false;
    return std::ranges::any_of(rule.rule->clauses, [&](const Clause& clause) {
      return std::ranges::any_of(fields,
                                 [&](Field field) { return mentions(*clause.predicate, field); });
    });
  });
}

// Rules of the table that a hook's packets may come to.
std::vector<bool> reached_from(const Program& program, Hook hook, TableName table) {
  std::vector<bool> chains(program.chains().size(), false), rules(program.rules().size(), false);
  const auto entry = program.entry(hook, table);
  if (!entry) return rules;
  chains[*entry] = true;
  for (const ChainId id : program.callers_first()) {
    if (!chains[id]) continue;
    const ProgramChain& chain = program.chains()[id];
    for (RuleId r = chain.first; r < chain.first + chain.count; ++r) {
      rules[r] = true;
      if (program.rules()[r].callee) chains[*program.rules()[r].callee] = true;
    }
  }
  return rules;
}

// An unknown target may change a destination before routing sees it, or turn routing itself.
bool opaque_before_routing(const Program& program) {
  for (const Hook hook : {Hook::kPrerouting, Hook::kOutput}) {
    for (const TableName table : {TableName::kRaw, TableName::kMangle, TableName::kNat}) {
      const std::vector<bool> reached = reached_from(program, hook, table);
      for (RuleId r = 0; r < reached.size(); ++r) {
        if (reached[r] && program.rules()[r].has_opaque_target()) return true;
      }
    }
  }
  return false;
}

bool opaque_in_nat(const Program& program) {
  return std::ranges::any_of(program.rules(), [&](const ProgramRule& rule) {
    return rule.has_opaque_target() && program.chains()[rule.chain].table == TableName::kNat;
  });
}

}  // namespace

bool on_loopback(const EndRange& range, Family family) {
  if (!range.address) return false;
  const auto [low, high] = *range.address;
  if (family == Family::kIpv6) return low == 1 && high == 1;
  return low <= high && (low >> 24) == 127 && (high >> 24) == 127;
}

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

std::optional<EndRange> end_range(const Nat& target, Family family, Hook hook) {
  EndRange range;
  if (target.low) {
    range.address = {target.low->value, target.high->value};
  } else if (target.network) {
    const u128 rest = ~target.network->mask & low_bits(address_bits(family));
    const u128 first = target.network->address.value & ~rest;
    range.address = {first, first | rest};
  } else if (target.kind == Nat::Kind::kRedirect && hook == Hook::kOutput) {
    const u128 home = family == Family::kIpv4 ? u128{0x7f000001} : u128{1};
    range.address = {home, home};
  } else {
    range.keeps_address =
        target.kind == Nat::Kind::kSource || target.kind == Nat::Kind::kDestination;
  }
  // What a local process sends may go to this host's addresses on lo.
  const bool home = hook == Hook::kOutput && on_loopback(range, family);
  if (range.address && !home && !plain(range.address->first, range.address->second, family)) {
    return std::nullopt;
  }
  if (target.port_low != 0 || target.port_high != 0) {
    range.port = {std::min(target.port_low, target.port_high),
                  std::max(target.port_low, target.port_high)};
  } else {
    // A source port that is taken, or to be random, becomes another one.
    range.keeps_port = changes_destination(target, hook) && !target.random;
  }
  return range;
}

Translations::Translations(const Program& program, bool route_localnet)
    : family_(program.ruleset().family),
      route_localnet_(route_localnet),
      some_(opaque_in_nat(program)),
      beyond_(some_),
      elsewhere_(opaque_before_routing(program)) {
  for (auto* list : {&at_prerouting_, &at_output_, &at_postrouting_, &at_input_}) {
    list->resize(program.rules().size());
  }
  constexpr std::array kHooks{Hook::kPrerouting, Hook::kOutput, Hook::kPostrouting, Hook::kInput};
  std::vector<std::vector<bool>> reached;
  for (const Hook hook : kHooks) reached.push_back(reached_from(program, hook, TableName::kNat));
  for (RuleId r = 0; r < program.rules().size(); ++r) {
    const Effect* effect = std::get_if<Effect>(&program.rules()[r].rule->action);
    const Nat* nat = effect == nullptr ? nullptr : std::get_if<Nat>(effect);
    if (nat == nullptr) continue;
    some_ = true;
    for (std::size_t h = 0; h < kHooks.size(); ++h) {
      if (reached[h][r]) add(program.rules()[r], r, *nat, kHooks[h]);
    }
  }
  if (!some_) return;
  shows_ = shows_clash(program, false);
  shows_on_lo_ = (!outputs_.empty() || !sources_.empty() || beyond_) && shows_clash(program, true);
  if (shows_ || shows_on_lo_) {
    EndRange other_port;
    other_port.keeps_address = true;
    ranges_.push_back(other_port);
    clash_ = static_cast<std::uint8_t>(ranges_.size());
  }
  if (!find(EndRange{})) ranges_.emplace_back();
  anything_ = *find(EndRange{});
}

void Translations::add(const ProgramRule& rule, RuleId r, const Nat& nat, Hook hook) {
  const bool before = hook == Hook::kPrerouting || hook == Hook::kOutput;
  if (changes_destination(nat, hook) != before) return;
  auto range = end_range(nat, family_, hook);
  if (range) range->from = mapped_from(rule, nat, before);
  if (!range) {
    const bool refused = hook == Hook::kPrerouting && !route_localnet_ && only_loopback4(nat);
    if (refused && family_ == Family::kIpv4) {
      at_prerouting_[r] = kNowhere;
    } else {
      not_followed(before);
    }
    return;
  }
  switch (hook) {
    case Hook::kPrerouting:
      at_prerouting_[r] = number(*range, destinations_);
      break;
    case Hook::kOutput:
      at_output_[r] = number(*range, outputs_);
      break;
    case Hook::kPostrouting:
      at_postrouting_[r] = number(*range, sources_);
      break;
    case Hook::kInput:
      at_input_[r] = number(*range, inputs_);
      break;
    case Hook::kForward:
      break;
  }
}

bool Translations::shows_clash(const Program& program, bool on_lo) {
  const auto all = [](TableName) { return true; };
  const auto early = [](TableName t) { return t == TableName::kRaw || t == TableName::kMangle; };
  const auto source = [&](TableName t) {
    return on_lo ? t != TableName::kNat : t == TableName::kSecurity;
  };
  return tests_any(program,
                   {Field::kCtStatus, Field::kCtReplyDestinationPort, Field::kCtReplySourcePort},
                   all) ||
         tests_any(program, {Field::kDestinationPort}, early) ||
         tests_any(program, {Field::kSourcePort}, source);
}

std::uint8_t Translations::number(const EndRange& range, std::vector<std::uint8_t>& list) {
  auto at = std::ranges::find(ranges_, range);
  if (at == ranges_.end()) {
    if (ranges_.size() >= kMostRanges) {
      not_followed(&list == &destinations_ || &list == &outputs_);
      return 0;
    }
    ranges_.push_back(range);
    at = std::prev(ranges_.end());
  }
  const auto result = static_cast<std::uint8_t>(at - ranges_.begin() + 1);
  if (std::ranges::find(list, result) == list.end()) list.push_back(result);
  return result;
}

bool Translations::is_followed(RuleId rule) const {
  return std::ranges::any_of(
      std::array{&at_prerouting_, &at_output_, &at_postrouting_, &at_input_},
      [&](const auto* numbers) { return !numbers->empty() && (*numbers)[rule] != 0; });
}

std::uint8_t Translations::range_of(RuleId rule, Hook hook) const {
  switch (hook) {
    case Hook::kPrerouting:
      return at_prerouting_[rule];
    case Hook::kOutput:
      return at_output_[rule];
    case Hook::kPostrouting:
      return at_postrouting_[rule];
    case Hook::kInput:
      return at_input_[rule];
    case Hook::kForward:
      break;
  }
  return 0;
}

bool Translations::follows(Hook hook, FlowEnd sender, Path flow_path) {
  const Path own = sender == FlowEnd::kInitiator ? flow_path : reverse(flow_path);
  const bool local = own == Path::kOut || own == Path::kLoopback;
  switch (hook) {
    case Hook::kPrerouting:
      return sender == FlowEnd::kInitiator && !local;
    case Hook::kOutput:
      return sender == FlowEnd::kInitiator && local;
    case Hook::kPostrouting:
      return true;
    case Hook::kInput:
      return own == Path::kIn;
    case Hook::kForward:
      break;
  }
  return false;
}

// Ranges that packets of a path may get as their destination, and stay on it.
std::vector<std::uint8_t> Translations::destinations(Path own) const {
  const bool local = own == Path::kOut || own == Path::kLoopback;
  std::vector<std::uint8_t> result;
  for (const std::uint8_t d : local ? outputs_ : destinations_) {
    const EndRange& to = range(d);
    if (own == Path::kOut && on_loopback(to, family_)) continue;
    // REDIRECT stays on this host.
    if (own == Path::kForward && !to.keeps_address && !to.address) continue;
    result.push_back(d);
  }
  return result;
}

void Translations::not_followed(bool before_routing) {
  beyond_ = true;
  elsewhere_ = elsewhere_ || before_routing;
}

bool Translations::moves_destination(Path path) const {
  if (elsewhere_) return true;
  if (const auto at = following_.find(path); at != following_.end()) {
    const auto moves = [&](const NatVariant& nat) {
      return nat.destination != 0 && !range(nat.destination).keeps_address;
    };
    if (std::ranges::any_of(at->second, moves)) return true;
  }
  if (path == Path::kIn || path == Path::kForward) return !destinations_.empty();
  return std::ranges::any_of(destinations(path),
                             [&](std::uint8_t d) { return !range(d).keeps_address; });
}

bool Translations::may_stray(Path path) const {
  const bool local = path == Path::kOut || path == Path::kLoopback;
  return std::ranges::any_of(local ? outputs_ : destinations_, [&](std::uint8_t d) {
    const EndRange& to = range(d);
    if (path == Path::kLoopback && on_loopback(to, family_)) return false;
    return !to.keeps_address && (path != Path::kIn || to.address);
  });
}

std::vector<EndRange> Translations::sources() const {
  std::vector<EndRange> result;
  for (const std::uint8_t s : sources_) result.push_back(range(s));
  for (const std::uint8_t s : inputs_) result.push_back(range(s));
  if (beyond_) result.emplace_back();
  return result;
}

std::vector<NatVariant> Translations::variants(Path path) const {
  std::vector<NatVariant> result = by_rules(path);
  if (const auto at = following_.find(path); at != following_.end()) {
    std::ranges::copy(at->second, std::back_inserter(result));
  }
  return result;
}

std::vector<NatVariant> Translations::by_rules(Path path) const {
  std::vector<NatVariant> result;
  for (const FlowEnd originator : {FlowEnd::kInitiator, FlowEnd::kResponder}) {
    const Path own = originator == FlowEnd::kInitiator ? path : reverse(path);
    std::vector<std::uint8_t> to{0}, from{0};
    if (originator == FlowEnd::kInitiator)
      std::ranges::copy(destinations(own), std::back_inserter(to));
    std::ranges::copy(own == Path::kIn ? inputs_ : sources_, std::back_inserter(from));
    for (const std::uint8_t d : to) {
      for (const std::uint8_t s : from) {
        if (d != 0 || s != 0) result.push_back({originator, d, s});
      }
    }
  }
  if (!clashes(path)) return result;
  for (const FlowEnd originator : {FlowEnd::kInitiator, FlowEnd::kResponder}) {
    result.push_back({originator, 0, clash_});
  }
  return result;
}

}  // namespace postern
