#include "symbolic/entries/templates.hpp"

#include <algorithm>
#include <array>

namespace postern {
namespace {

const Effect* effect_of(const ProgramRule& rule) { return std::get_if<Effect>(&rule.rule->action); }

bool writes_connmark(const ProgramRule& rule) {
  const Effect* effect = effect_of(rule);
  if (effect == nullptr) return false;
  if (const auto* set = std::get_if<SetConnmark>(effect)) {
    return set->op != SetConnmark::Op::kRestore;
  }
  return std::holds_alternative<OpaqueTarget>(*effect);
}

// Does a rule look at more of an entry than its state? A template has a mark and a status of its
// own (docs/fidelity.md 34).
bool looks_at_entry(const ProgramRule& rule) {
  constexpr std::array kTold{Field::kCtStatus,
                             Field::kCtDirection,
                             Field::kCtMark,
                             Field::kCtZone,
                             Field::kCtProtocol,
                             Field::kCtOriginalSource,
                             Field::kCtOriginalDestination,
                             Field::kCtOriginalSourcePort,
                             Field::kCtOriginalDestinationPort,
                             Field::kCtReplySource,
                             Field::kCtReplyDestination,
                             Field::kCtReplySourcePort,
                             Field::kCtReplyDestinationPort};
  const Effect* effect = effect_of(rule);
  if (effect != nullptr && std::holds_alternative<SetConnmark>(*effect)) return true;
  return std::ranges::any_of(rule.rule->clauses, [&](const Clause& clause) {
    return std::ranges::any_of(kTold,
                               [&](Field field) { return mentions(*clause.predicate, field); });
  });
}

Helper helper_of(const AttachTemplate& request) {
  if (request.helper == "ftp") return Helper::kFtp;
  if (request.helper == "tftp") return Helper::kTftp;
  if (request.helper == "irc") return Helper::kIrc;
  return Helper::kNone;
}

// Chains that OUTPUT may come to in raw.
std::vector<bool> on_the_way_out(const Program& program) {
  std::vector<bool> reached(program.chains().size(), false);
  if (const auto entry = program.entry(Hook::kOutput, TableName::kRaw)) reached[*entry] = true;
  for (const ChainId chain : program.callers_first()) {
    const ProgramChain& here = program.chains()[chain];
    for (RuleId r = here.first; reached[chain] && r < here.first + here.count; ++r) {
      if (const auto callee = program.rules()[r].callee) reached[*callee] = true;
    }
  }
  return reached;
}

// Does some rule give sources an address by name?
bool names_sources(const Program& program) {
  return std::ranges::any_of(program.rules(), [](const ProgramRule& rule) {
    const Effect* effect = effect_of(rule);
    const Nat* nat = effect == nullptr ? nullptr : std::get_if<Nat>(effect);
    return nat != nullptr && (nat->kind == Nat::Kind::kSource || nat->kind == Nat::Kind::kNetmap);
  });
}

// netbios-ns expects answers to what this host itself sends to a broadcast address, and nothing
// else (nf_conntrack_broadcast_help). A flow gets it by a rule that only PREROUTING comes to when
// it has come by a wire, and its answers go to one host (routing takes nothing that comes from a
// broadcast address), unless NAT has made that a broadcast address.
bool expects_nothing(const AttachTemplate& request, bool way_out, bool named) {
  return request.helper == "netbios-ns" && !way_out && !named;
}

}  // namespace

Templates::Templates(const Program& program)
    : numbers_(program.rules().size(), 0), in_zone_(program.rules().size()) {
  const auto rules = program.rules();
  const auto in_raw = [&](const ProgramRule& rule) {
    return program.chains()[rule.chain].table == TableName::kRaw;
  };
  const bool looked_at = std::ranges::any_of(
      rules, [&](const ProgramRule& rule) { return in_raw(rule) && looks_at_entry(rule); });
  mark_ = std::ranges::any_of(rules, writes_connmark);
  const std::vector<bool> way_out = on_the_way_out(program);
  const bool named = names_sources(program);
  for (RuleId r = 0; r < rules.size(); ++r) {
    const Effect* effect = effect_of(rules[r]);
    if (effect == nullptr) continue;
    // A target of raw that nobody knows may be a helper's.
    if (std::holds_alternative<OpaqueTarget>(*effect) && in_raw(rules[r])) strange_help_ = true;
    const auto* request = std::get_if<AttachTemplate>(effect);
    if (request == nullptr) continue;
    const Helper helper = helper_of(*request);
    const bool quiet = expects_nothing(*request, way_out[rules[r].chain], named);
    const bool known = request->helper.empty() || helper != Helper::kNone || quiet;
    const bool zone = request->zone != 0 || request->zone_from_mark;
    if (looked_at || !known || (zone && helper == Helper::kNone)) {
      strange_help_ = strange_help_ || !request->helper.empty();
      continue;
    }
    in_zone_[r] = zone;
    auto at = std::ranges::find(helpers_, helper);
    if (at == helpers_.end()) at = helpers_.insert(at, helper);
    numbers_[r] = kFirst + static_cast<std::uint32_t>(at - helpers_.begin());
  }
}

bool Templates::help() const {
  return std::ranges::any_of(helpers_, [](Helper h) { return h != Helper::kNone; });
}

bool Templates::help(Helper helper) const {
  return std::ranges::find(helpers_, helper) != helpers_.end();
}

}  // namespace postern
