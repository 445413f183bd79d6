#include "symbolic/entries/zones.hpp"

#include <algorithm>
#include <bit>

namespace postern {
namespace {

// More than these are not followed.
constexpr std::size_t kMostPairs = 16;
constexpr int kMostMarkBits = 3;
constexpr std::uint32_t kLowerHalf = 0xffff;

const AttachTemplate* template_in(const ProgramRule& rule) {
  const auto* effect = std::get_if<Effect>(&rule.rule->action);
  return effect == nullptr ? nullptr : std::get_if<AttachTemplate>(effect);
}

// Rules beside which templates are not followed.
bool prevents(const Program& program, const ProgramRule& rule) {
  const auto* effect = std::get_if<Effect>(&rule.rule->action);
  if (effect == nullptr) return false;
  const auto* mark = std::get_if<SetConnmark>(effect);
  return mark != nullptr && mark->op != SetConnmark::Op::kRestore &&
         program.chains()[rule.chain].table == TableName::kRaw;
}

bool same(const AttachTemplate& a, const AttachTemplate& b) {
  return a.zone == b.zone && a.zone_direction == b.zone_direction &&
         a.zone_from_mark == b.zone_from_mark;
}

ZonePair in_direction(const AttachTemplate& of, std::uint16_t id) {
  using enum AttachTemplate::Direction;
  return {of.zone_direction == kReply ? std::uint16_t{0} : id,
          of.zone_direction == kOriginal ? std::uint16_t{0} : id};
}

}  // namespace

bool Zones::reads_mark(const Program& program) {
  return std::ranges::any_of(program.rules(), [](const ProgramRule& rule) {
    const AttachTemplate* of = template_in(rule);
    return of != nullptr && of->zone_from_mark;
  });
}

Zones::Zones(const Program& program, std::uint32_t marks) {
  const auto& rules = program.rules();
  if (std::ranges::any_of(rules, [&](const ProgramRule& r) { return prevents(program, r); })) {
    return;
  }
  const Templates requests(program);
  by_rule_.assign(rules.size(), 0);
  for (RuleId r = 0; r < rules.size(); ++r) {
    const AttachTemplate* of = template_in(rules[r]);
    if (of == nullptr) continue;
    // A request without a zone says it all with its number, and one that is not followed nothing.
    if (of->helper.empty() ? requests.of(r) != 0 : !requests.in_zone(r)) continue;
    if (of->zone_from_mark && std::popcount(marks & kLowerHalf) > kMostMarkBits) continue;
    auto at = std::ranges::find_if(templates_, [&](const auto& t) { return same(t, *of); });
    if (at == templates_.end()) {
      templates_.push_back(*of);
      at = std::prev(templates_.end());
      add_ways(*of, static_cast<std::uint32_t>(templates_.size()), marks);
    }
    by_rule_[r] = static_cast<std::uint32_t>(at - templates_.begin()) + 1;
  }
  if (pairs_.size() > kMostPairs || templates_.size() > kMostPairs) *this = Zones();
}

std::vector<std::uint16_t> Zones::ids() const {
  std::vector<std::uint16_t> result;
  for (const ZonePair& pair : pairs_) result.push_back(pair.id());
  std::ranges::sort(result);
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

bool follows(const Templates& templates, const Zones& zones, RuleId rule) {
  const bool request = templates.of(rule) != 0, zone = zones.template_of(rule) != 0;
  return templates.in_zone(rule) ? request && zone : request || zone;
}

bool strange_help(const Templates& templates, const Zones& zones, const Program& program) {
  bool result = templates.strange_help();
  for (RuleId r = 0; r < program.rules().size(); ++r) {
    result = result || (templates.in_zone(r) && zones.template_of(r) == 0);
  }
  return result;
}

std::uint32_t Zones::count() const {
  return static_cast<std::uint32_t>(std::max(pairs_.size(), templates_.size() + 1));
}

std::uint32_t Zones::pair(ZonePair wanted) {
  auto at = std::ranges::find(pairs_, wanted);
  if (at == pairs_.end()) at = pairs_.insert(at, wanted);
  return static_cast<std::uint32_t>(at - pairs_.begin());
}

void Zones::add_ways(const AttachTemplate& rule, std::uint32_t number, std::uint32_t marks) {
  if (!rule.zone_from_mark) {
    ways_.push_back({number, pair(in_direction(rule, rule.zone)), std::nullopt});
    return;
  }
  const std::uint32_t bits = marks & kLowerHalf;
  // Every value that can be made of the bits, from 0 on.
  for (std::uint32_t value = 0;; value = (value - bits) & bits) {
    const auto mark = static_cast<std::uint16_t>(value);
    ways_.push_back({number, pair(in_direction(rule, mark)), mark});
    if (value == bits) return;
  }
}

// nf_conntrack_find_get, nf_ct_zone_equal: the original tuple in the original direction's zone, the
// reply in the reply's. With a zone of one direction only the original tuple is looked up first.
std::vector<std::uint8_t> Zones::found(const Openers& openers, FlowEnd sender,
                                       std::uint8_t pair) const {
  const ZonePair own = pairs_[pair];
  std::vector<std::uint8_t> originals, replies;
  for (std::uint8_t k = 0; k < openers.size(); ++k) {
    if (!openers[k]) continue;
    if (*openers[k] == sender) {
      if (pairs_[k].original == own.original) originals.push_back(k);
    } else if (pairs_[k].reply == own.reply) {
      replies.push_back(k);
    }
  }
  if (own.original != own.reply && !originals.empty()) return originals;
  originals.insert(originals.end(), replies.begin(), replies.end());
  return originals;
}

// __nf_conntrack_confirm: neither of the new tuples may be found in its zone.
bool Zones::clashes(const Openers& openers, FlowEnd sender, std::uint8_t pair) const {
  const ZonePair own = pairs_[pair];
  const bool one = own.original == own.reply;
  for (std::uint8_t k = 0; k < openers.size(); ++k) {
    if (!openers[k]) continue;
    const ZonePair other = pairs_[k];
    const bool clash = *openers[k] == sender
                           ? other.original == own.original || other.reply == own.reply
                           : one && (other.original == own.reply || other.reply == own.original);
    if (clash) return true;
  }
  return false;
}

}  // namespace postern
