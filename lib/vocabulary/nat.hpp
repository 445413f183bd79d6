// What SNAT, DNAT, MASQUERADE and REDIRECT share: an option with a range, and flags.
// Covered by corpus/targets/{SNAT,DNAT,MASQUERADE,REDIRECT}.t.
#pragma once

#include "vocabulary/build.hpp"

namespace postern {

// The effect of `kind` with the range of `option` (kNatRange or kNatPorts) and the flags --random,
// --random-fully, --persistent. Ports need a protocol that has some; a base port only goes with
// DNAT.
tl::expected<Effect, Complaint> nat_effect(Nat::Kind kind, std::string_view option,
                                           const Arguments& arguments);
std::string nat_print(std::string_view option, const Arguments& arguments);

}  // namespace postern
