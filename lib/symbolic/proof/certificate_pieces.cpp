// Fragments that IPv4 puts together before INPUT where nobody tracks them: the certificate's own
// reading of rules/pieces.hpp. A packet is open, whatever becomes of it when it comes whole, if a
// first and a later piece of it get past PREROUTING and INPUT accepts it with the first's mark.
// Covered by tests/agreement/pieces_test.cpp.
#include <algorithm>
#include <array>
#include <vector>

#include "net/protocol.hpp"
#include "symbolic/proof/certificate_walk.hpp"
#include "symbolic/rules/pieces.hpp"

namespace postern {
namespace {

constexpr unsigned kHeader = 20;  // IPv4's

}  // namespace

// What comes in pieces ends here.
void PathEncoder::keep_whole(Walk& walk) {
  const Term whole = solver_.in_range(walk.packet[Field::kFragmentOffset], 0, 0);
  walk.dropped.push_back(solver_.both(walk.live, solver_.negate(whole)));
  walk.live = solver_.both(walk.live, whole);
}

// By as many bytes at least, as far as the classes of lengths tell.
Term PathEncoder::is_longer(Term length, Term piece, unsigned by) {
  std::vector<Term> parts;
  for (const ValueClass& c : space_.classes().length.classes) {
    std::vector<Term> here;
    u128 least = c.intervals.front().lo;
    for (const Interval& i : c.intervals) {
      here.push_back(solver_.in_range(piece, i.lo, i.hi));
      least = std::min(least, i.lo);
    }
    parts.push_back(
        solver_.implies(solver_.any(here), solver_.in_range(length, least + by, 65535)));
  }
  return solver_.all(parts);
}

// The TOS byte of a packet that met congestion (RFC 3168).
Term PathEncoder::congested(Term tos) {
  return solver_.bit_xor(solver_.bit_and(tos, solver_.number(0xfc, 8)), solver_.number(3, 8));
}

PathEncoder::Piece PathEncoder::first_piece(const PacketTerms& whole) {
  Piece piece{whole, Solver::kTrue};
  PacketTerms& p = piece.packet;
  const auto fresh = [&](Field f) {
    return solver_.fresh_bits("first piece", solver_.width(p[f]));
  };
  const Term cut = solver_.fresh_boolean("cut");
  const unsigned width = solver_.width(p[Field::kTruncated]);
  const Term left = solver_.fresh_bits("first piece", width);
  p[Field::kTruncated] = solver_.choose(cut, left, solver_.number(0, width));
  p[Field::kTcpFlags] = solver_.choose(cut, fresh(Field::kTcpFlags), p[Field::kTcpFlags]);
  for (auto& [kind, option] : p.options) {
    option = solver_.choose(cut, solver_.fresh_boolean("first piece"), option);
  }
  p[Field::kLength] = fresh(Field::kLength);
  p[Field::kTos] = fresh(Field::kTos);
  // Any piece may tell of congestion.
  const Term told = congested(p[Field::kTos]);
  std::vector<Term> parts{is_longer(whole[Field::kLength], p[Field::kLength], 1),
                          solver_.either(solver_.equal(whole[Field::kTos], p[Field::kTos]),
                                         solver_.equal(whole[Field::kTos], told))};
  std::vector<Term> cuttable;
  for (unsigned n = 0; n < 256; ++n) {
    const Term is = solver_.in_range(p[Field::kProtocol], n, n);
    const auto number = static_cast<std::uint8_t>(n);
    if (may_be_cut(number)) cuttable.push_back(is);
    const std::size_t header =
        number == protocol::kTcp                                                                ? 20
        : number == protocol::kUdp || number == protocol::kUdplite || number == protocol::kIcmp ? 8
                                                                                                : 0;
    if (header == 0) continue;
    const std::array uncut{is, solver_.negate(cut)};
    parts.push_back(solver_.implies(solver_.all(uncut),
                                    solver_.in_range(p[Field::kLength], kHeader + header, 65535)));
  }
  parts.push_back(solver_.implies(cut, solver_.any(cuttable)));
  constexpr auto kFlags = static_cast<unsigned>(HeaderPart::kFlags);
  constexpr auto kPorts = static_cast<unsigned>(HeaderPart::kPorts);
  constexpr unsigned kFlagsEnd = kHeader + 14;
  const Term tcp = solver_.in_range(p[Field::kProtocol], protocol::kTcp, protocol::kTcp);
  const Term flags = solver_.in_range(left, kFlags, kFlags);
  const Term far = solver_.in_range(p[Field::kLength], kFlagsEnd, 65535);
  parts.push_back(solver_.in_range(left, kFlags, kPorts));
  parts.push_back(solver_.implies(solver_.both(cut, flags), solver_.both(tcp, far)));
  parts.push_back(solver_.implies(solver_.both(cut, solver_.both(tcp, far)), flags));
  parts.push_back(solver_.implies(
      cut, solver_.in_range(p[Field::kLength], kHeader + kLeastFragment, kHeader + 19)));
  parts.push_back(solver_.in_range(p[Field::kLength], kHeader, 65535));
  piece.possible = solver_.all(parts);
  return piece;
}

PathEncoder::Piece PathEncoder::later_piece(const PacketTerms& whole) {
  Piece piece{whole, Solver::kTrue};
  PacketTerms& p = piece.packet;
  for (const Field f : {Field::kLength, Field::kTos, Field::kTtl, Field::kFragmentOffset}) {
    p[f] = solver_.fresh_bits("later piece", solver_.width(p[f]));
  }
  p[Field::kTruncated] = solver_.number(0, solver_.width(p[Field::kTruncated]));
  const std::array parts{is_longer(whole[Field::kLength], p[Field::kLength], kLeastFragment),
                         solver_.in_range(p[Field::kLength], kHeader, 65535),
                         solver_.in_range(p[Field::kFragmentOffset], 1, 8191)};
  piece.possible = solver_.all(parts);
  return piece;
}

// Marked UNTRACKED before what would be its lookup, or not; `live` says that it is so.
std::vector<PathEncoder::Walk> PathEncoder::before_input(const Piece& piece) {
  const auto all = hooks(path_);
  const std::size_t input = all.size() - 1;
  const Early early = encode_early(all.front(), piece.packet, piece.possible);
  std::vector<Walk> result;
  for (const bool untracked : {false, true}) {
    const Term so = untracked ? early.untracked : solver_.negate(early.untracked);
    const Term begun = solver_.both(early.live, so);
    if (begun == Solver::kFalse) continue;
    Walk walk;
    encode_end(0, input, early.packet, untracked ? Seen::untracked() : Seen{CtState::kInvalid},
               walk);
    walk.live = solver_.both(begun, walk.live);
    result.push_back(std::move(walk));
  }
  return result;
}

// The whole comes by the wire of the last of them: the first piece's, or a later one's.
PathEncoder::Wires PathEncoder::wires_of_pieces() {
  const Term whole = axes_.value(sender_ == FlowEnd::kInitiator ? Axis::kInitiatorInterface
                                                                : Axis::kResponderInterface);
  if (path_ != Path::kIn) return {whole, whole, Solver::kTrue};
  const Term other = solver_.fresh_bits("wire", kInterfaceBits);
  const Term first_here = solver_.fresh_boolean("wire");
  return {
      solver_.choose(first_here, whole, other), solver_.choose(first_here, other, whole),
      solver_.in_range(other, kLoopbackInterface + 1, space_.classes().interface_names.size() - 1)};
}

Term PathEncoder::together() {
  if (!puts_together()) return Solver::kFalse;
  if (together_) return *together_;
  const PacketTerms whole = start();
  Walk first_of_all;
  first_of_all.packet = whole;
  keep_whole(first_of_all);
  std::vector<Term> later, ways;
  const Wires wires = wires_of_pieces();
  came_by_ = wires.later;
  const Piece other = later_piece(whole);
  if (backend_ == Backend::kNft) {
    later.push_back(other.possible);
  } else {
    for (const Walk& walk : before_input(other)) later.push_back(walk.live);
  }
  came_by_ = wires.first;
  const auto firsts = before_input(first_piece(whole));
  came_by_.reset();
  for (const Walk& walk : firsts) {
    Walk last;
    last.packet = whole;
    for (const Field f :
         {Field::kMark, Field::kCtState, Field::kCtStatus, Field::kCtMark, Field::kTtl}) {
      last.packet[f] = walk.packet[f];
    }
    // What rules have made of the first's TOS, but for what other pieces tell of congestion.
    if (encoder_.rewrites_tos()) {
      const Term tos = walk.packet[Field::kTos];
      last.packet[Field::kTos] =
          solver_.choose(solver_.fresh_boolean("congested"), congested(tos), tos);
    }
    const std::array alive{first_of_all.live, walk.live, solver_.any(later), wires.possible,
                           solver_.in_range(whole[Field::kTruncated], 0, 0)};
    last.live = solver_.all(alive);
    place(last, Hook::kInput);
    for (const Stage& stage : stages(Hook::kInput, backend_)) {
      if (stage.kind == Stage::Kind::kTable) table(last, Hook::kInput, stage.table);
    }
    ways.push_back(last.live);
  }
  together_ = solver_.named(solver_.any(ways), "put together");
  return *together_;
}

}  // namespace postern
