// Fragments of IPv4 that nobody tracks: PREROUTING sees each alone, and INPUT what they make
// together (ip_local_deliver), of which the rules before it have seen no length, no later part of
// a TCP header and no other fragment's TTL or TOS.
//
// Idea: a fragment is a packet with an offset; the first one looks like a whole packet, or has its
// transport header cut short. Of the whole everything is bounded by its first piece but the length
// (and TCP's flags and options, if those were cut off), and some later piece must be there; which
// pieces cover the rest is left open (an over-approximation). The whole comes by the interface of
// the piece that came last.
//
// Over lo a packet comes to PREROUTING otherwise than it has left POSTROUTING, where IP cuts it in
// between (cut_up), or IPv6 drops the bytes behind its end (trimmed): surroundings.hpp.
// Covered by tests/agreement/pieces_test.cpp and tests/unit/surroundings_test.cpp.
#pragma once

#include "symbolic/sets/space.hpp"

namespace postern {

// The bytes of a first fragment's transport header that are surely there.
inline constexpr unsigned kLeastFragment = 8;
// Has the protocol a header that a first fragment may cut?
bool may_be_cut(std::uint8_t protocol);

// First pieces with a part of their transport header.
Set cut_first(Space& space);
// Later pieces, whatever they hold.
Set any_later_piece(Space& space);
// Offset 0, with its whole transport header: a whole packet, or a first fragment.
Set looks_whole(Space& space);
// The whole packets whose first fragment is in `first` and of which another is in `later`: over
// the axes of `first`. What packets can be at all is not looked at.
Set put_together(Space& space, Set first, Set later);
// Those of the pieces that may be part of one of the packets. `apart`: others of it came by another
// interface, or from another card.
Set parts_of(Space& space, Set packets, Set pieces, bool apart);
// The pieces of these packets, with what conntrack says of the whole.
Set cut_up(Space& space, Set packets);
// The packets without some bytes of their end, which no header of theirs counts.
Set trimmed(Space& space, Set packets);

}  // namespace postern
