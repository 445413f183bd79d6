// Conntrack zones as the sets follow them: which templates the CT rules of a ruleset attach, and
// into which pair of zone ids each of them puts a packet, one id for either direction.
//
// Idea: before its lookup a packet carries the number of a template (0: none); the lookup turns it
// into the number of a pair, and a flow has an entry of its own for each pair (automaton.hpp). Both
// numbers share an axis (Axis::kZone). A ruleset that follows no template has one pair and an axis
// without variables: it is as if there were no zones. Not followed, so that packets that meet the
// rule stay unmodelled: templates whose own mark some rule writes (CONNMARK in raw: it stays the
// rule's). The helper of a template with a zone stands on another axis (templates.hpp). With NAT,
// which entries are found is asked of bound ones as well (edges_zones.cpp): the caller knows whose
// headers a packet has.
// Sources: kernel-facts 19, 23, 24; nf_ct_zone_tmpl. Covered by tests/unit/zones_test.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "flow/program.hpp"
#include "symbolic/entries/abstract_entry.hpp"
#include "symbolic/entries/templates.hpp"

namespace postern {

// The zone ids of an entry's two directions (struct nf_conntrack_zone).
struct ZonePair {
  std::uint16_t original = 0, reply = 0;
  std::uint16_t id() const { return original | reply; }
  auto operator<=>(const ZonePair&) const = default;
};

class Zones {
 public:
  Zones() = default;
  // `marks`: the mark bits that packets may have set. Must hold the lower half of all of them where
  // a template takes its zone from the mark.
  Zones(const Program& program, std::uint32_t marks);

  // Does some template take its zone from the mark, so that its bits must be followed?
  static bool reads_mark(const Program& program);

  bool some() const { return !templates_.empty(); }
  // By number; 0 is the default zone.
  const std::vector<ZonePair>& pairs() const { return pairs_; }
  // The ids of all pairs, each once. An expectation is found by packets of its master's id,
  // whatever the direction (nf_ct_zone_equal_any).
  std::vector<std::uint16_t> ids() const;
  // The template that a rule attaches; 0: none with a zone, or not followed.
  std::uint32_t template_of(RuleId rule) const { return some() ? by_rule_[rule] : 0; }
  // How many values the axis has.
  std::uint32_t count() const;

  // A template (number from 1) puts packets into this pair if the lower half of their mark is
  // `mark`, or whatever it is.
  struct Way {
    std::uint32_t of = 0;    // template
    std::uint32_t pair = 0;  // number of the pair
    std::optional<std::uint16_t> mark;
  };
  const std::vector<Way>& ways() const { return ways_; }

  // Who opened the entries of a flow, by pair; nullopt where there is none.
  using Openers = std::vector<std::optional<FlowEnd>>;
  // Which of them a packet of the pair finds: none or one, or two, and then nothing here says which
  // (it is the one that was hashed last).
  std::vector<std::uint8_t> found(const Openers& openers, FlowEnd sender, std::uint8_t pair) const;
  // Would an entry that `sender` opens in the pair not be confirmed beside these?
  bool clashes(const Openers& openers, FlowEnd sender, std::uint8_t pair) const;

 private:
  std::uint32_t pair(ZonePair wanted);
  void add_ways(const AttachTemplate& rule, std::uint32_t number, std::uint32_t marks);

  std::vector<ZonePair> pairs_{ZonePair{}};
  std::vector<AttachTemplate> templates_;
  std::vector<Way> ways_;
  std::vector<std::uint32_t> by_rule_;
};

// Is all that the CT rule gives to packets followed?
bool follows(const Templates& templates, const Zones& zones, RuleId rule);
// May a rule give a helper in a way that is not?
bool strange_help(const Templates& templates, const Zones& zones, const Program& program);

}  // namespace postern
