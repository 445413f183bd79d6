#include "ir/builtin_clauses.hpp"

#include "ir/spell.hpp"
#include "net/no_protocol.hpp"
#include "net/protocol.hpp"

namespace postern {
namespace {

Clause make(std::string text, bool inverted, PredicatePtr predicate, Span span) {
  Clause clause;
  clause.printed = text.empty() ? "" : (inverted ? "! " : "") + text;
  clause.predicate = negate_if(inverted, std::move(predicate));
  clause.hotdrop = constant(false);
  clause.span = span;
  return clause;
}

}  // namespace

Clause address_clause(bool destination, const std::vector<Prefix>& prefixes, bool inverted,
                      Span span) {
  const Field field = destination ? Field::kDestination : Field::kSource;
  std::vector<PredicatePtr> operands;
  std::string text;
  bool everything = false;
  for (const Prefix& prefix : prefixes) {
    operands.push_back(masked(field, prefix.address.value, prefix.mask));
    text += (text.empty() ? "" : ",") + prefix.text();
    everything = everything || prefix.mask == 0;
  }
  // "-s 0.0.0.0/0" says nothing and is not printed; inverted it never matches, and is.
  if (everything && !inverted) return make("", false, constant(true), span);
  return make((destination ? "-d " : "-s ") + text, inverted, any(std::move(operands)), span);
}

Clause interface_clause(bool output, const Given<InterfacePattern>& given) {
  const bool everything = given.value.prefix && given.value.name.empty();
  // iptables-save leaves "! -i +" out, which turns "never" into "always" (kernel-facts 59): kept.
  const bool silent = everything && !given.inverted;
  return make(silent ? "" : (output ? "-o " : "-i ") + spell(given.value.text()), given.inverted,
              interface_is(output, given.value), given.span);
}

// An IPv6 packet that ends within its extension headers has no protocol. nf_tables then leaves the
// rule, inverted or not (nft_meta: NFT_BREAK); ip6_tables drops it (ip6_packet_match). A question
// has the plain meaning: it is not of the protocol.
Clause protocol_clause(const Given<std::uint8_t>& given, const RuleContext& context) {
  if (given.value == 0) return make("", false, constant(true), given.span);
  Clause clause = make("-p " + protocol_name(given.value), given.inverted,
                       equals(Field::kProtocol, given.value), given.span);
  if (context.family == Family::kIpv4 || context.question()) return clause;
  const PredicatePtr none = equals(Field::kProtocol, kNoProtocol6);
  if (context.backend == Backend::kLegacy) {
    clause.hotdrop = none;
  } else if (given.inverted) {
    clause.predicate = all({negate(none), std::move(clause.predicate)});
  }
  return clause;
}

Clause fragment_clause(const Given<bool>& given) {
  return make("-f", given.inverted,
              in_range(Field::kFragmentOffset, 1, low_bits(info(Field::kFragmentOffset).width)),
              given.span);
}

}  // namespace postern
