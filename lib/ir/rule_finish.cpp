#include "ir/rule_finish.hpp"

#include <algorithm>

#include "ir/builtin_clauses.hpp"
#include "ir/spell.hpp"

namespace postern {
namespace {

// What was written for an extension that is not understood as a whole.
std::string as_written(const Extension& extension) {
  std::string text = spell(extension.name);
  for (const RuleWord& word : extension.words) text += " " + spell(word.text);
  return text;
}

bool understood(const Extension& extension) {
  return extension.known() && extension.unknown_option.empty();
}

std::string why_opaque(const Extension& extension, std::string_view kind) {
  if (!extension.known()) return std::string(kind) + " " + extension.name + " is unknown";
  return "option " + extension.unknown_option + " of " + extension.name + " is unknown";
}

void report(const RuleContext& context, const Extension& extension, const Complaint& complaint) {
  context.error("bad-options", extension.span, extension.name + ": " + complaint.message,
                complaint.help);
}

std::optional<Clause> match_clause(const RuleContext& context, const Draft& draft,
                                   const Extension& extension) {
  Clause clause;
  clause.module = extension.name;
  clause.span = extension.span;
  clause.known = understood(extension);
  clause.switches_on_tracking = extension.match != nullptr && extension.match->switches_on_tracking;
  if (!clause.known) {
    clause.printed = "-m " + as_written(extension);
    clause.predicate = opaque(why_opaque(extension, "module"), true);
    clause.hotdrop = constant(false);
    return clause;
  }
  const Arguments arguments = draft.arguments(extension, context.family);
  auto meaning = bind_match(*extension.match, arguments);
  if (!meaning) {
    report(context, extension, meaning.error());
    return std::nullopt;
  }
  clause.printed = print_match(*extension.match, arguments);
  const bool translated = context.backend == Backend::kNft && meaning->translated != nullptr;
  clause.predicate = std::move(translated ? meaning->translated : meaning->predicate);
  if (translated && beside_inverted_protocol(*extension.match, arguments)) {
    clause.predicate = opaque("iptables-nft reads other protocols' bytes as " + extension.name +
                              " behind an inverted -p");
  }
  clause.hotdrop = translated ? constant(false) : std::move(meaning->hotdrop);
  return clause;
}

// -i -o -p -f, then the matches in their order; nullopt: something is wrong and was reported. All
// matches are looked at, so that every error is seen.
std::optional<std::vector<Clause>> other_clauses(const RuleContext& context, const Draft& draft) {
  std::vector<Clause> clauses;
  if (draft.input) clauses.push_back(interface_clause(false, *draft.input));
  if (draft.output) clauses.push_back(interface_clause(true, *draft.output));
  if (draft.protocol) clauses.push_back(protocol_clause(*draft.protocol, context));
  if (draft.fragment) clauses.push_back(fragment_clause(*draft.fragment));
  bool good = true;
  for (const Extension& extension : draft.matches) {
    auto clause = match_clause(context, draft, extension);
    if (clause) clauses.push_back(std::move(*clause));
    good = good && clause;
  }
  if (!good) return std::nullopt;
  return clauses;
}

// Clauses that say nothing ("-s 0.0.0.0/0") are no clauses.
void drop_silent(std::vector<Clause>& clauses) {
  std::erase_if(clauses, [](const Clause& clause) { return clause.printed.empty(); });
}

bool finish_target(const RuleContext& context, const Draft& draft, Rule& rule) {
  if (draft.jump || draft.go_to) {
    const Given<std::string>& given = draft.jump ? *draft.jump : *draft.go_to;
    const std::size_t chain = context.chains->find(given.value, given.span.begin).value();
    rule.action = draft.jump ? Action{Jump{chain}} : Action{Goto{chain}};
    rule.target = given.value;
    rule.printed_target = (draft.jump ? "-j " : "-g ") + spell(given.value);
    rule.target_span = given.span;
    return true;
  }
  if (!draft.target) return true;
  const Extension& extension = *draft.target;
  rule.target = extension.name;
  rule.target_span = extension.span;
  rule.target_known = understood(extension);
  rule.switches_on_tracking = extension.target != nullptr && extension.target->switches_on_tracking;
  if (!rule.target_known) {
    rule.printed_target = "-j " + as_written(extension);
    rule.action = Effect{OpaqueTarget{.why = why_opaque(extension, "target")}};
    return true;
  }
  const Arguments arguments = draft.arguments(extension, context.family);
  auto effect = bind_target(*extension.target, arguments);
  if (!effect) {
    report(context, extension, effect.error());
    return false;
  }
  rule.printed_target = print_target(*extension.target, arguments);
  if (std::holds_alternative<NoTrack>(*effect)) rule.switches_on_tracking = false;
  rule.action = std::move(*effect);
  return true;
}

// "Can't use -o with INPUT": by the chain's name, whatever the table.
bool check_interfaces(const RuleContext& context, const Draft& draft) {
  const std::string& chain = draft.chain.value;
  const bool no_output = chain == "PREROUTING" || chain == "INPUT";
  const bool no_input = chain == "POSTROUTING" || chain == "OUTPUT";
  if (no_output && draft.output) {
    context.error("bad-options", draft.output->span, "-o has no meaning in " + chain,
                  "the outgoing interface is not known there yet");
    return false;
  }
  if (no_input && draft.input) {
    context.error("bad-options", draft.input->span, "-i has no meaning in " + chain,
                  "packets there have no incoming interface to name");
    return false;
  }
  return true;
}

// A list of several addresses goes with no inverted address, be it of the other end.
bool check_address_lists(const RuleContext& context, const Draft& draft) {
  const Given<std::vector<Prefix>>* list = nullptr;
  const Given<std::vector<Prefix>>* inverted = nullptr;
  for (const auto* given : {&draft.source, &draft.destination}) {
    if (!*given) continue;
    if ((*given)->value.size() > 1) list = &**given;
    if ((*given)->inverted) inverted = &**given;
  }
  if (list == nullptr || inverted == nullptr) return true;
  context.error("inversion", inverted->span,
                list == inverted ? "a list of addresses cannot be inverted"
                                 : "no address can be inverted next to a list of addresses",
                "write a chain of your own that returns for each of them");
  return false;
}

// One address clause (or none) for each rule that a list stands for.
std::vector<std::optional<Clause>> one_by_one(
    bool destination, const std::optional<Given<std::vector<Prefix>>>& given) {
  if (!given) return {std::nullopt};
  std::vector<std::optional<Clause>> clauses;
  for (const Prefix& prefix : given->value) {
    clauses.emplace_back(address_clause(destination, {prefix}, given->inverted, given->span));
  }
  return clauses;
}

}  // namespace

std::optional<std::vector<Rule>> finish_rule(const RuleContext& context, const Draft& draft,
                                             Span line) {
  Rule rule;
  rule.span = line;
  rule.counters = draft.counters;
  const bool places = check_interfaces(context, draft);
  const bool addresses = check_address_lists(context, draft);
  auto others = other_clauses(context, draft);
  const bool target = finish_target(context, draft, rule);
  if (!places || !addresses || !others || !target) return std::nullopt;
  drop_silent(*others);

  std::vector<Rule> rules;
  for (const auto& source : one_by_one(false, draft.source)) {
    for (const auto& destination : one_by_one(true, draft.destination)) {
      Rule& added = rules.emplace_back(rule);
      if (source) added.clauses.push_back(*source);
      if (destination) added.clauses.push_back(*destination);
      drop_silent(added.clauses);
      added.clauses.insert(added.clauses.end(), others->begin(), others->end());
    }
  }
  return rules;
}

std::optional<std::vector<Clause>> finish_clauses(const RuleContext& context, const Draft& draft) {
  const bool addresses = check_address_lists(context, draft);
  auto others = other_clauses(context, draft);
  if (!addresses || !others) return std::nullopt;
  std::vector<Clause> clauses;
  const auto add = [&](bool destination, const auto& given) {
    if (given) {
      clauses.push_back(address_clause(destination, given->value, given->inverted, given->span));
    }
  };
  add(false, draft.source);
  add(true, draft.destination);
  std::ranges::move(*others, std::back_inserter(clauses));
  return clauses;
}

}  // namespace postern
