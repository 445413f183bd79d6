// One question on one path: sets first, then the witness and its replay, or the certificate.
//
// Decision, by set algebra over the Triple of the verb (symbolic/explore/model.hpp): `must` not
// empty: yes; else `may` not empty: yes under conditions; else something unmodelled: unknown; else
// no, once the certificate holds. --find and --every quantify these sets first: exists find, for
// all every (that M allows with it), exists the rest. Covered by tests/unit/query_test.cpp.
#pragma once

#include "analyzer/answer.hpp"
#include "analyzer/query.hpp"
#include "analyzer/query_replay.hpp"
#include "symbolic/explore/model.hpp"
#include "symbolic/proof/certificate.hpp"
#include "symbolic/witness/witness.hpp"

namespace postern {

// M, --to-destination and --to-port as one predicate over the first packet, which is the packet as
// delivered where NAT does not change its destination.
PredicatePtr full_predicate(const Question& question);

class Asking {
 public:
  // Fills `answer`. All references must outlive the call of run().
  Asking(Model& model, const Program& program, const QueryOptions& options,
         const Question& question, std::chrono::steady_clock::time_point deadline, Answer& answer);
  // Never throws BudgetEnded; throws InternalError when Z3 refutes the sets, and (QueryOptions::
  // strict) when a witness does not replay.
  void run();

 private:
  // What a verb's sets are, whatever the verb.
  struct Solved {
    Triple yes;
    std::vector<Set> depth_may, depth_must;  // may be empty
    std::optional<DeliverAnswer> deliver;
    std::optional<ConnectAnswer> connect;
    std::optional<TrackAnswer> track;
  };

  void answer_question();
  // Fills m_, led_ and universe_; what may set out, or be led to the path. Empty: nothing can.
  Set prepare();
  Solved solve(Set m);
  Set open_of(const Solved& solved);
  // Is the answer anything but no?
  bool may_win();
  bool quantifiable();
  bool arrives_apart();
  // Which values of the --find fields win; everything when nothing is quantified. Empty: none.
  Set winners(Set yes);
  // What --every speaks of: all that M allows, but for what no ordinary host sends.
  Set worth_asking();
  // The first of `sure` and `may` that wins, plain flows before odd ones (routing.hpp); nothing.
  struct Won {
    Set yes = kNothing;
    bool sure = false;
  };
  Won first_to_win(Set sure, Set may);
  Set to_yes_axes(Set m);
  void answer_yes(const Solved& solved, Set yes, bool must);
  // Where NAT gives an address of the host's choice, it is one that the rules ask for, if need be;
  // what `must` happen does so with any.
  Confirmed confirm_with_addresses(Witness& witness, bool must);
  void assume();
  bool masquerades_over_lo() const;
  // Does it hang on one packet being through before the next one comes (interleaved.hpp)?
  bool hangs_on_order() const;
  // Of the host around the rules, where the no hangs on that; false, with the reason: it is none.
  bool take_for_granted();
  void answer_no(const Solved& solved);
  bool may_meet(RuleId rule, Set open);
  void answer_unknown(Set open);
  bool answer_led(const Solved& solved);
  static std::string_view outcome_of(const Choice& choice);
  void take_over(Confirmed confirmed);
  void no_witness(const std::string& why);
  Scenario bare_world() const;
  std::vector<FlowStep> steps(Set goal, bool must);
  void tell(const Witness& witness, const FlowPoint& flow);
  void generalise(const FlowPoint& flow, const WitnessPacket& last, bool must);
  std::string rule_text(RuleId rule) const;

  Model& model_;
  Space& space_;
  const Program& program_;
  const QueryOptions& options_;
  const Question& question_;
  std::chrono::steady_clock::time_point deadline_;  // of the whole answer; the model knows it, too
  Answer& answer_;
  PredicatePtr to_;   // of the packet as delivered, where it is not said of M's; null: any
  Set m_, universe_;  // M's packets; M as a set over the axes of the verb's answer
  LedHere led_;       // ICMP errors of M that only NAT leads to the path, perhaps
  bool led_unchecked_ = false;  // ... of which the sets alone say that no rule lets them through
};

}  // namespace postern
