// TCPMSS: the maximum segment size that a SYN announces is lowered, never raised; a SYN without the
// option and without data gets one, four bytes more. Source: xt_TCPMSS.
// Covered by tests/unit/engine_mss_test.cpp and EngineCase.IsWhatLinuxDoes/TcpMss*.
#pragma once

#include "engine/traveller.hpp"
#include "engine/world.hpp"
#include "meaning/effect.hpp"

namespace postern {

// False: the packet is dropped (it has no whole TCP header, or the path's MTU is absurd).
bool lower_mss(const LowerMss& how, Traveller& packet, const World& world);

}  // namespace postern
