// Building blocks that several descriptors share: guards for transport headers and conntrack
// entries, tests of ports, lists of names. Covered by the tables in corpus/matches and by
// tests/unit/vocabulary_test.cpp.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vocabulary/descriptor.hpp"

namespace postern {

// `tests` behind the guard of a match on a transport header: nothing matches, inverted or not,
// where the header cannot be read, and a whole packet or first fragment that is cut short is
// dropped on the spot (par->hotdrop; kernel-facts 42; xt_tcpudp.c).
MatchMeaning on_transport(std::uint8_t protocol, PredicatePtr tests);

// Is there less of the header than the bytes of `field` (a port or the TCP flags) need?
PredicatePtr cut_before(Field field);

// What iptables-nft makes of a match on the ports of a header, beside `protocol` and `others`,
// which are its own: each option reads its bytes from the payload, whatever stands there (a later
// fragment, a header that is cut short behind them), and holds nowhere else. Measured with 1.8.9,
// whose oddities later versions may not have, so that they are open: an inverted full range is left
// out, and two inverted single ports are one comparison (docs/fidelity.md 31).
PredicatePtr translated_ports(std::uint8_t protocol, const Arguments& arguments,
                              std::vector<PredicatePtr> others = {});

// Does --sport or --dport test anything, so that iptables-nft translates the match?
bool tests_a_port(const Arguments& arguments);

// The option's range over `field`, inverted if the option is; true when the option is absent.
PredicatePtr range_test(Field field, const Arguments& arguments, std::string_view option);
// The same for an address with mask, and for a range of addresses.
PredicatePtr prefix_test(Field field, const Prefix& prefix);

// What ttl and hl test (xt_hl) and TTL and HL write (xt_HL): one of the options `prefix`-eq, -lt
// and -gt, or -set, -inc and -dec (counting stops at 0 and 255).
MatchMeaning hop_limit_test(const Arguments& arguments, std::string_view prefix);
Effect hop_limit_change(const Arguments& arguments, std::string_view prefix);

// One of a fixed set of words with what it stands for.
struct NamedValue {
  std::string_view name;
  std::uint64_t value;
};

// Reads a word as one of `names`, ignoring case; where `prefix`, the first that begins with the
// word (many iptables lists take abbreviations). The complaint lists them all. An empty word is no
// name.
tl::expected<std::uint64_t, Complaint> read_name(std::span<const NamedValue> names,
                                                 std::string_view word, std::string_view what,
                                                 bool prefix);
// A comma list of such names as the union of their values.
tl::expected<std::uint64_t, Complaint> read_names(std::span<const NamedValue> names,
                                                  std::span<const std::string> words,
                                                  std::string_view what, bool prefix);
// The names of the bits that are set, in the order of the table, separated by commas.
std::string print_names(std::span<const NamedValue> names, std::uint64_t bits);

// "[! ]--name value": one option as iptables-save writes it, with a blank before unless `text` is
// empty.
void append_option(std::string& text, bool inverted, std::string_view name,
                   std::string_view value = "");

// A complaint as an error value.
inline tl::unexpected<Complaint> complaint(std::string message, std::string help = "") {
  return tl::unexpected(Complaint{std::move(message), std::move(help)});
}

// The meaning of a match about which the text decides nothing: `why` says what it depends on.
// `may_drop`: the kernel's match may also drop the packet itself (par->hotdrop).
inline auto undecided(std::string why, bool may_drop = false) {
  return
      [why = std::move(why), may_drop](const Arguments&) -> tl::expected<MatchMeaning, Complaint> {
        return MatchMeaning{opaque(why, may_drop)};
      };
}
// The same behind the guard of a transport header.
inline auto undecided_transport(std::uint8_t protocol, std::string why) {
  return
      [protocol, why = std::move(why)](const Arguments&) -> tl::expected<MatchMeaning, Complaint> {
        return on_transport(protocol, opaque(why));
      };
}
// A target that changes nothing that a rule can read.
inline auto annotates(std::string what) {
  return [what = std::move(what)](const Arguments&) -> tl::expected<Effect, Complaint> {
    return Effect{Annotate{what}};
  };
}
// A target whose verdict the text does not decide.
inline auto undecided_target(std::string why,
                             OpaqueTarget::Sends sends = OpaqueTarget::Sends::kNone) {
  return [why = std::move(why), sends](const Arguments&) -> tl::expected<Effect, Complaint> {
    return Effect{OpaqueTarget{why, sends}};
  };
}

// An option's canonical text "name value", added when the option is there; its own type prints it.
void append_bound(std::string& text, const Arguments& arguments, std::string_view name);
// The same for a range, but a plain full one (0 to `top`) prints as nothing. iptables-save drops
// some inverted full ranges as well, which changes the meaning; they are kept here.
void append_range(std::string& text, const Arguments& arguments, std::string_view name, u128 top);

// The bits of `field` that are set in `bits` are not all 0.
inline PredicatePtr any_bit(Field field, u128 bits) { return negate(masked(field, 0, bits)); }

}  // namespace postern
