// One packet through all hooks of its path as formulas: the certificate's own walk, with what
// conntrack says of the packet as given constants. Each walk is encoded once for each thing that
// conntrack may say (Seen) and shared by all states of the entry that say it. Sources:
// flow/hooks.hpp, kernel-facts 2-5, 8, 10, 12, 19. Covered by tests/unit/certificate_test.cpp.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "flow/hooks.hpp"
#include "symbolic/entries/abstract_entry.hpp"
#include "symbolic/nat/translation.hpp"
#include "symbolic/proof/certificate_terms.hpp"
#include "symbolic/proof/encode.hpp"

namespace postern {

// What a lookup says of a packet.
struct Seen {
  CtState state = CtState::kInvalid;
  CtDirection direction = CtDirection::kOriginal;
  FlowEnd originator = FlowEnd::kInitiator;
  std::uint16_t status = 0;  // ct_status bits while the packet passes
  bool created = false;      // the entry is new: connmark 0, nat is consulted
  bool expected = false;     // the entry is the flow's own; RELATED without it: another flow's
  bool marked = false;       // it is new, with a connmark of its master's
  auto operator<=>(const Seen&) const = default;

  static Seen untracked() { return {CtState::kUntracked}; }
  static Seen of(const AbstractStep& step, const AbstractEntry& before);
};

// NAT as one walk follows it. Without `translations` no NAT rule is followed.
struct NatView {
  const Translations* translations = nullptr;
  NatVariant bound = {};        // the entry's binding; first packets: the one that they get
  Term routed = Solver::kTrue;  // where routing takes packets that kept their destination
  bool lose_turned = false;     // as Explorer's
};

class PathEncoder {
 public:
  // Packets of `sender` in a flow whose initiator's packets take `flow_path`. With `tracking` false
  // nothing is looked up.
  PathEncoder(Space& space, Solver& solver, Encoder& encoder, const AxisTerms& axes, Path flow_path,
              FlowEnd sender, Backend backend, bool tracking, const NatView& nat = {});

  // Before the (first) lookup: what still lives, whether it was marked UNTRACKED.
  struct Early {
    Term live, untracked, dropped, unmodelled;
    PacketTerms packet;
    std::vector<Term> zones;  // by pair (zones.hpp): is the packet, if it is tracked, in it?
  };
  const Early& early();

  // Behind it, relative to early().live. One of the first five holds unless `unmodelled`: exactly
  // one, but where the kernel has a choice (a range of NAT).
  // "Confirmed": behind the confirmation of a new entry (loopback only).
  struct End {
    Term delivered, dropped, reset, dropped_confirmed, reset_confirmed, unmodelled;
    std::vector<Term> connmark_bits;  // of the entry, when the packet is through
    PacketTerms packet;               // as it is then
  };
  const End& end(const Seen& seen);

  // Loopback: a packet that was INVALID in OUTPUT comes to PREROUTING with nothing attached.
  // Relative to early().live.
  const Early& again();
  // Relative to again().live.
  const End& end_again(const Seen& seen);
  // What came of it before that.
  const End& lost_on_the_way();

  // May it be accepted, put together from pieces? (Without conntrack; certificate_pieces.cpp)
  Term together();

  // A packet of the initiator as the binding leads it, and where that is possible.
  struct Led {
    PacketTerms packet;
    Term possible;
  };
  Led led();

 private:
  // A walk under way: what lives, what has left it, the packet's present fields.
  struct Walk {
    PacketTerms packet;
    Term live = Solver::kTrue;
    bool confirmed = false;
    std::vector<Term> dropped, reset, dropped_confirmed, reset_confirmed, unmodelled;
  };
  PacketTerms start();
  // One face of an end under NAT, as fields of the packet.
  struct EndTerms {
    Term address, port, type;
  };
  EndTerms original(FlowEnd end) const;
  const EndTerms& translated(FlowEnd end);
  void show(PacketTerms& packet, bool source, const EndTerms& end) const;
  Term changed(FlowEnd end);
  struct Tuples {
    Term ports, other;
  };
  const Tuples& tuples();
  bool opens() const { return !nat_.bound.some() || sender_ == nat_.bound.originator; }
  // `led`: the first hook has settled where a new entry goes.
  void see_binding(PacketTerms& packet, const Seen& seen, bool led = false);
  void consult(Walk& walk, Hook hook);
  void turn(Walk& walk, Hook hook);
  Term mapped(Term address, const EndRange& range);
  Term may_keep_initiator(const EndRange& range);
  void nat(Walk& walk, Hook hook, const Seen& seen);
  void place(Walk& walk, Hook hook);
  void outlive_hop(Walk& walk);
  // Fragments (certificate_pieces.cpp).
  struct Piece {
    PacketTerms packet;
    Term possible;
  };
  bool puts_together() const {
    return !tracking_ && !space_.classes().defragments &&
           space_.classes().family == Family::kIpv4 &&
           (path_ == Path::kIn || path_ == Path::kLoopback);
  }
  struct Wires {
    Term first, later, possible;
  };
  Wires wires_of_pieces();
  void keep_whole(Walk& walk);
  Piece first_piece(const PacketTerms& whole);
  Piece later_piece(const PacketTerms& whole);
  Term congested(Term tos);
  Term is_longer(Term length, Term piece, unsigned by);
  std::vector<Walk> before_input(const Piece& piece);
  void see(PacketTerms& packet, const Seen& seen, bool confirmed);
  void table(Walk& walk, Hook hook, TableName table);
  std::vector<Term> zones_of(const PacketTerms& packet);
  Early encode_early(Hook hook, PacketTerms packet, Term live);
  End encode_end(std::size_t first_hook, std::size_t end_hook, const PacketTerms& packet,
                 const Seen& seen, Walk& walk);
  End finish(const Walk& walk);
  void encode_lost();

  Space& space_;
  Solver& solver_;
  Encoder& encoder_;
  const AxisTerms& axes_;
  Path path_;
  FlowEnd sender_;
  Backend backend_;
  bool tracking_;
  NatView nat_;
  Path flow_path_;
  std::optional<EndTerms> translated_[2];
  Term ranges_ = Solver::kTrue;  // what the translated ends lie in
  std::optional<Early> early_, again_;
  std::optional<End> lost_;
  std::optional<Tuples> tuples_;
  std::optional<Term> together_, came_by_;  // (a piece's own wire)
  std::map<Seen, End> ends_, ends_again_;
};

}  // namespace postern
