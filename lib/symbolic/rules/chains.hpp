// Runs a set of packets through the chains of one table at one hook: all of them at once.
//
// Idea: each chain is walked once, callees first, into a summary (who is accepted, dropped,
// returned), started with everything that any caller may send there; calls then only intersect.
// Where a chain writes marks the summary is a relation (relation.hpp). A call is a call: nothing is
// unfolded, and nothing recurses. Invariants: outcomes are `may` sets: exact over all coins of the
// opaques, since every evaluation on one walk is a coin of its own. What must happen is what no
// other outcome may (passage.hpp). Covered by tests/unit/walk_test.cpp, which enumerates packets
// against a naive evaluator.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "flow/program.hpp"
#include "symbolic/entries/templates.hpp"
#include "symbolic/rules/reader.hpp"
#include "symbolic/rules/rows.hpp"
#include "symbolic/sets/relation.hpp"

namespace postern {

// How a table is read at one place of a path.
struct TableContext {
  Binding binding;
  // May a packet here still be marked UNTRACKED or get a template (no entry is attached)?
  bool attaches = false;
  // Some packets here may have an entry (CONNMARK works on those in NEW, ESTABLISHED, RELATED).
  bool entries = true;
  // Per-rule structure: what is not modelled lets packets pass, with whatever it may have changed,
  // so that "no packet gets here" stays true.
  bool loose = false;
  // ... only NAT that is not followed here does.
  bool loose_nat = false;
  // The hook whose NAT rules are followed (translation.hpp), and the range that is wanted there.
  std::optional<Hook> follows = std::nullopt;
  std::uint8_t wanted = 0;
  // The hook where NAT may lead packets to another than the initiator (Outcome::kBoundElsewhere).
  std::optional<Hook> turns = std::nullopt;
  bool initiator_is_remote = false;
  // What goes on from here is forwarded by ip_forward, which drops what a socket has taken.
  Set forwarded = kNothing;
};

// The packets that come to a rule, and those that match it (may): what both sets have in common
// with `among`. They are left uncut because `among` is large, and the same for all rules of a row.
struct AtRule {
  Set among = kEverything, reaching = kNothing, matching = kNothing;
};

// Told of every rule of a walk.
using RuleObserver = std::function<void(const TableContext&, RuleId, const AtRule&)>;

class ChainWalker {
 public:
  // `templates` must outlive the walker; null: no CT rule is followed.
  ChainWalker(Space& space, Reader& reader, const Program& program,
              const Translations* translations = nullptr, const Templates* templates = nullptr);
  const Translations* translations() const { return translations_; }

  // `live` through the built-in chain `entry`; its policy is applied, so kReturned is empty.
  Outcomes run(ChainId entry, Set live, const TableContext& context, const RuleObserver& observer);

  // The chains that ways of jumps lead to from there, callers first, itself included.
  const std::vector<ChainId>& below(ChainId entry);

  // Rules that are switched off count as absent.
  void set_disabled(RuleId rule, bool off) { disabled_[rule] = off; }
  // A rule's own condition, all clauses together.
  MayMust condition(RuleId rule, const Binding& binding);
  // Has any rule a coin, or did a rule that was walked read what is open (another flow's entry), or
  // leave it to the kernel?
  bool has_coins() const { return !opaque_rules_.empty() || !reader_.exact() || chance_; }
  // May the rule's effect be one that is not followed, where it stands?
  bool unmodelled(RuleId rule, const TableContext& context) const;
  // Does a rule of raw ask what a template that is not followed would answer? To such a rule it is
  // an entry (kernel-facts 19).
  bool asks_a_template(RuleId rule, const Binding& binding) const;
  const std::vector<RuleId>& opaque_rules() const { return opaque_rules_; }
  const std::vector<RuleId>& unmodelled_rules() const { return unmodelled_rules_; }
  // Rules with a target that nobody knows.
  std::size_t opaque_targets() const { return opaque_targets_; }
  // Everything that differs from `packets` in one end's address and port (NAT), in both's, or in
  // any field.
  Set any_end(Set packets, FlowEnd end);
  Set any_ends(Set packets);
  Set any_header(Set packets);

 private:
  struct Frame;  // one walk of one chain
  void find_writes();
  void find_coins();
  std::vector<Set> callers_may_send(ChainId entry, Set live, const TableContext& context);
  Outcomes walk(ChainId chain, Set live, const TableContext& context,
                const std::vector<Outcomes>& summaries, const RuleObserver* observer,
                std::vector<Set>* arriving);
  bool walk_row(RuleId first, Frame& frame, const RuleObserver* observer);
  Row read_row(RuleId first, const TableContext& context);
  void act(RuleId rule, Set taken, Frame& frame);
  void call(RuleId rule, Set taken, Frame& frame);
  bool is_read(Field field) const;
  bool is_noticed(const SetField& effect) const;
  void rewrite(const Effect& effect, Field field, Set taken, Frame& frame);
  bool follows_template(RuleId rule) const;
  void attach_template(RuleId rule, Set taken, Frame& frame);
  void no_track(Set taken, Frame& frame);
  void connmark(const SetConnmark& effect, Set taken, Frame& frame);
  Set connmarks();
  void opaque_target(Set taken, Frame& frame);
  void to_socket(const ToSocket& effect, Set taken, Frame& frame);
  void apply(const Effect& effect, RuleId rule, Set taken, Frame& frame);
  Outcome bound(RuleId rule, const TableContext& context) const;
  void translate(RuleId rule, Set taken, Frame& frame);
  Set match(RuleId rule, Frame& frame);
  MayMust asked(RuleId rule, const TableContext& context);
  Set asks_unknown(RuleId rule, const Binding& binding);
  Set with_entry(const TableContext& context);

  Space& space_;
  Reader& reader_;
  const Program& program_;
  const Translations* translations_;
  const Templates* templates_;
  Relations relations_;
  std::optional<Set> connmarks_;  // that entries may have
  Rows rows_;
  std::vector<bool> disabled_;
  std::vector<Writes> writes_;               // by chain, callees included
  std::vector<bool> rewrites_;               // ... whether headers may change
  std::vector<std::vector<ChainId>> below_;  // by entry chain: callers first, itself included
  std::vector<RuleId> opaque_rules_, unmodelled_rules_;
  std::size_t opaque_targets_ = 0;
  std::vector<bool> may_hotdrop_;  // by rule: an unknown match that may drop
  bool chance_ = false;            // a NAT rule has left open where packets go
};

}  // namespace postern
