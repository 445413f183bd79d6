// NAT as the sets follow it: what a NAT rule may make of one end of a flow, and the ways (variants)
// in which a flow's first packet can be bound.
//
// Idea: a flow is named after the packet as it is sent. The binding is one more component of its
// state: it says at which addresses and ports rules see the two ends from some hook on. No set is
// permuted for it: where a rule reads an end that a binding has replaced, the test is decided on
// the range that the NAT rule names (ends.cpp), `may` and `must` apart where the range leaves it
// open. Followed are rules of PREROUTING and OUTPUT met by the initiator's packets, and rules of
// INPUT and POSTROUTING; all others stay unmodelled (Outcome::kUnmodelled). Which device rules see
// of a packet that is routed again: rerouting.hpp.
// Sources: kernel-facts 8, 49-54; flow/hooks.hpp. Covered by tests/unit/translation_test.cpp and
// tests/agreement/adversary_test.cpp.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "flow/program.hpp"
#include "symbolic/entries/abstract_entry.hpp"

namespace postern {

// Ranges have numbers of so many bits (the reader keys its results by them): those that rules name,
// a clash's, and what helpers announce under NAT. More ranges of rules than kMostRanges are not
// followed: each costs walks of its own.
inline constexpr unsigned kRangeBits = 7;
inline constexpr std::size_t kMostRanges = 64, kMostRangeNumbers = (1U << kRangeBits) - 1;
static_assert(kMostRanges + 1 < kMostRangeNumbers);

// What an end may become: any address of `address`, but for `from`, with any port of `port`.
struct EndRange {
  bool keeps_address = false, keeps_port = false;
  std::optional<std::pair<u128, u128>> address;  // nullopt, not kept: one of this host's
  std::optional<std::pair<std::uint32_t, std::uint32_t>> port;  // nullopt, not kept: any
  // Which of `address`: as far behind its first as the end was behind this one (netmap.hpp).
  std::optional<u128> from = {};
  // What a mapped end becomes. REQUIRES: `address` and `from`.
  u128 image(u128 old) const { return address->first | (old & (address->second - address->first)); }
  bool operator==(const EndRange&) const = default;
};

// The range of a NAT target at a hook. nullopt: postern does not follow it.
std::optional<EndRange> end_range(const Nat& target, Family family, Hook hook);
// Only addresses that this host has on lo (127.0.0.0/8, ::1)?
bool on_loopback(const EndRange& range, Family family);
// Does the target change the destination (DNAT, REDIRECT, NETMAP before routing)?
bool changes_destination(const Nat& target, Hook hook);

// One binding: who opened the flow, and what its first packet's two halves were bound to.
struct NatVariant {
  // By a rule, or as a helper's announcement says, whose port was free, or not (following.cpp).
  // kError: it binds no flow. An ICMP error goes to what NAT made of the opener of a flow, and on
  // to wherever that is.
  enum class By : std::uint8_t { kRule, kMaster, kMasterOtherPort, kError };
  FlowEnd originator = FlowEnd::kInitiator;
  std::uint8_t destination = 0, source = 0;  // number of the range, from 1; 0: unchanged
  By by = By::kRule;
  auto operator<=>(const NatVariant&) const = default;
  bool some() const { return destination != 0 || source != 0 || follows_master(); }
  bool follows_master() const { return by == By::kMaster || by == By::kMasterOtherPort; }
  bool of_error() const { return by == By::kError; }
};

// How a flow that a helper announced is bound once its master is: it goes on to the end of the
// master that the helper told of, as from the master's other end (nf_nat_follow_master).
struct Following {
  NatVariant master = {};   // of the master, whose opener is its path's initiator
  bool to_opener = false;   // to the end that opened the master, else to the other
  bool any_source = false;  // from anywhere
  bool other_port = false;  // the announced port was taken, so that another stood for it
};

// All NAT rules of a ruleset, by range.
class Translations {
 public:
  // `route_localnet`: 127.0.0.0/8 is taken off a wire.
  explicit Translations(const Program& program, bool route_localnet = false);

  // The number of ranges to which no packet gets: routing refuses 127.0.0.0/8 off a wire
  // (kernel-facts 13). It has no range().
  static constexpr std::uint8_t kNowhere = 255;

  // Has the ruleset a NAT rule, followed or not?
  bool some() const { return some_; }
  // Is the rule followed at some hook? Are all, at every hook that they stand in?
  bool is_followed(RuleId rule) const;
  bool all_followed() const { return !beyond_; }
  // The range that a rule binds to at this hook; 0: not followed.
  std::uint8_t range_of(RuleId rule, Hook hook) const;
  const EndRange& range(std::uint8_t number) const { return ranges_[number - 1]; }
  // Every binding that a flow on this path may get, by index from 1 ("0" is none).
  std::vector<NatVariant> variants(Path path) const;
  // Is a flow that another one's reply comes to seen by rules as another (do they test a port where
  // an answer has not been translated back yet, or what NAT did)? `on_lo`: where the packet itself
  // shows its other port, too.
  static bool shows_clash(const Program& program, bool on_lo);
  // The source that a flow gets when another one has taken its tuple (a clash): its own address
  // with any port. It may befall flows that no rule binds as well (kernel-facts 52); no other has
  // it.
  std::uint8_t clash() const { return clash_; }
  // May rules on the path see that port?
  bool clashes(Path path) const {
    return clash_ != 0 && (path == Path::kLoopback ? shows_on_lo_ : shows_);
  }
  // Can the destination of the path's first packets change before they are routed (out and
  // loopback: for good)?
  bool moves_destination(Path path) const;
  // ... on any path?
  bool moves_destination() const {
    return elsewhere_ || !destinations_.empty() || !outputs_.empty();
  }
  // ... to where nobody knows? An unknown target before routing may do so whether there is NAT or
  // not; a NAT rule there whose range is not followed; and what a helper announces in a way that is
  // not followed, from then on.
  bool leads_elsewhere() const { return elsewhere_; }
  void follow_no_master() { elsewhere_ = elsewhere_ || some_; }
  // ... so that routing may take it another way than the path's?
  bool may_stray(Path path) const;
  // What the sources of flows may become.
  std::vector<EndRange> sources() const;
  // Are ICMP errors on the path followed to where NAT leads them, with the opener of the flow that
  // they quote? How they go, and the number of that among variants(), behind the last of them.
  bool leads_errors(Path path) const { return anything_ != 0 && path == Path::kForward; }
  NatVariant of_errors() const {
    return {FlowEnd::kInitiator, anything_, 0, NatVariant::By::kError};
  }
  std::uint16_t number_of_errors(Path path) const {
    return static_cast<std::uint16_t>(variants(path).size() + 1);
  }
  // ... those that rules, or a clash, give.
  std::vector<NatVariant> by_rules(Path path) const;

  // From then on flows that a helper announces follow their master (following.cpp); `any_source`:
  // some of them come from anywhere.
  void follow_masters(bool any_source);
  // ... if that was asked for, and there are not too many ways.
  bool follows_masters() const { return follows_masters_; }
  // The way in which an announced flow is bound that `originator` opens on the path, as index into
  // variants(); 0: none that is followed.
  std::uint16_t following(Path path, FlowEnd originator, const Following& how) const;

  // Followed at this hook, for packets of this end?
  static bool follows(Hook hook, FlowEnd sender, Path flow_path);

 private:
  std::uint8_t number(const EndRange& range, std::vector<std::uint8_t>& list);
  void add(const ProgramRule& rule, RuleId number, const Nat& nat, Hook hook);
  void not_followed(bool before_routing);
  std::vector<std::uint8_t> destinations(Path own) const;
  std::optional<NatVariant> bound_as(FlowEnd originator, const Following& how) const;
  std::optional<std::uint8_t> find(const EndRange& range) const;

  Family family_;
  bool route_localnet_;
  bool some_;
  bool shows_ = false, shows_on_lo_ = false;
  bool beyond_;     // some rule's range is not followed
  bool elsewhere_;  // ... before routing, or something else there that may lead a packet anywhere
  std::uint8_t clash_ = 0;
  std::uint8_t anything_ = 0;  // the range of all addresses, where there is NAT
  std::vector<EndRange> ranges_;
  // Ranges in use in PREROUTING, OUTPUT, POSTROUTING, INPUT.
  std::vector<std::uint8_t> destinations_, outputs_, sources_, inputs_;
  std::vector<std::uint8_t> at_prerouting_, at_output_, at_postrouting_, at_input_;  // by RuleId
  bool follows_masters_ = false;
  std::map<Path, std::vector<NatVariant>> following_;  // beside those by rules
};

}  // namespace postern
