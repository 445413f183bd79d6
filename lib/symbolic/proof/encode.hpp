// Rules as Z3 formulas: the second symbolic reader, independent of the packet sets (no classes;
// every field is a bit-vector of its real width; an interface is a number in a list of names).
//
// A table's walk is encoded in order: `live` is the condition that a packet still walks the chain,
// and each live condition that is not a constant gets a name (encoding.md, pitfalls). Marks and the
// UNTRACKED mark are terms that rules rewrite (choose(live and match, new, old)). An opaque is a
// fresh Boolean at each evaluation: whoever looks for a solution may choose it, so a formula
// without solution is a proof for every value. Chains are encoded once for each context that they
// can tell apart (the terms they read); chains with opaques once for each call. A budget on encoded
// rules throws EncodingBudgetEnded, so nothing is unfolded exponentially. Invariant: accepted and
// dropped are disjoint and together always true after a built-in chain, unless `unmodelled` is
// true. Covered by tests/unit/encode_test.cpp.
#pragma once

#include <array>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "flow/program.hpp"
#include "symbolic/entries/templates.hpp"
#include "symbolic/entries/zones.hpp"
#include "symbolic/proof/solver.hpp"

namespace postern {

// Too many rules to encode; stops at the certificate, which turns it into "not checked".
struct EncodingBudgetEnded {};

// One packet as rules see it. Every field is a bit-vector of its width (addresses: of the family).
struct PacketTerms {
  std::array<Term, kFieldCount> fields{};
  Term in, out;                          // numbers in the encoder's list of interface names
  std::map<std::uint8_t, Term> options;  // TCP options that are present; absent here: not present
  Term& operator[](Field f) { return fields[static_cast<std::size_t>(f)]; }
  const Term& operator[](Field f) const { return fields[static_cast<std::size_t>(f)]; }
};

inline constexpr unsigned kInterfaceBits = 16;
unsigned field_width(Field field, Family family);

// What came of a walk through one table. Marks and ctstate (UNTRACKED in raw) are in `after`.
struct WalkTerms {
  Term accepted, dropped;
  Term reset;       // dropped, and answered with a TCP reset
  Term unmodelled;  // met NAT, a zone, a helper, a target that may change anything
  PacketTerms after;
  // By NAT rule: it takes the packet (which then counts as accepted). `strange`: unmodelled, but
  // for these.
  std::vector<std::pair<RuleId, Term>> bound = {};
  Term strange = {};
};

class Encoder {
 public:
  // `solver` and `program` must outlive the encoder. `interfaces`: the names that interface terms
  // number; "" is a packet without that interface.
  Encoder(Solver& solver, const Program& program, std::vector<std::string> interfaces,
          std::size_t rule_budget);

  // The templates that CT rules attach are followed: their numbers stand in Field::kCtZone.
  void follow(const Zones& zones) { zones_ = &zones; }

  // lo <= term <= hi is known, so that tests of it can be decided while encoding. It must also hold
  // in every question that uses the encoding (assume or require it).
  void know(Term term, u128 lo, u128 hi);

  // lo <= term <= hi, decided where what is known decides it.
  Term in_range(Term term, u128 lo, u128 hi);
  Term predicate(const Predicate& p, const PacketTerms& packet);
  // The walk of a packet through `table` at `hook`. A table that the ruleset lacks accepts.
  WalkTerms walk(Hook hook, TableName table, const PacketTerms& packet);

  // Are packets of the walks from here on forwarded later (ip_forward drops what has a socket)?
  void set_forwarded(bool forwarded) { forwarded_ = forwarded; }

  std::size_t encoded_rules() const { return encoded_; }
  // Does some rule write the TOS byte that another reads?
  bool rewrites_tos() const { return writes_tos_ && reads_tos_; }

 private:
  // What the rules of a chain, and of those it calls, look at or change.
  struct Reads {
    std::array<bool, kFieldCount> fields{};
    bool in = false, out = false, options = false, opaque = false;
    bool template_attached = false;
  };
  struct Frame;
  // The result of one chain for a packet that enters it.
  struct Exits {
    Term accepted, dropped, reset, returned, unmodelled;
    Term mark, connmark, state, status, zone, ttl, tos, flags, attached;
    std::vector<std::pair<RuleId, Term>> bound;
  };
  struct KeyHash {
    std::size_t operator()(const std::vector<std::uint32_t>& key) const;
  };

  void find_reads();
  void read_predicate(const Predicate& p, Reads& into);
  void read_effect(const Effect& effect, Reads& into);
  Exits chain(ChainId id, const PacketTerms& packet, Term attached);
  Exits encode_chain(ChainId id, const PacketTerms& packet, Term attached);
  void encode_rule(const ProgramRule& rule, Frame& frame);
  void apply(const Effect& effect, RuleId rule, Term matched, Frame& frame);
  void attach_template(RuleId rule, Term attaches, Frame& frame);
  void apply_connmark(const SetConnmark& effect, Term matched, Frame& frame);
  void call(const ProgramRule& rule, Term matched, bool returns_here, Frame& frame);
  Term interface_matches(Term name, const InterfacePattern& pattern);
  Term set_bits(Term old_value, u128 value, u128 mask);
  void to_socket(const ToSocket& effect, Term matched, Frame& frame);
  void rewrite(const Effect& effect, Field field, Term matched, Frame& frame);

  Solver& solver_;
  const Program& program_;
  Templates templates_;
  const Zones* zones_ = nullptr;
  std::vector<std::string> interfaces_;
  bool reads_tos_ = false;     // some rule tests the TOS byte
  bool writes_tos_ = false;    // ... writes it
  bool reads_length_ = false;  // ... the length
  bool forwarded_ = false;
  std::size_t budget_, encoded_ = 0;
  std::vector<Reads> reads_;  // by ChainId
  std::unordered_map<std::uint32_t, std::pair<u128, u128>> known_;
  std::unordered_map<std::vector<std::uint32_t>, Exits, KeyHash> memo_;
};

}  // namespace postern
