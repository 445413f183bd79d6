// What the campaign's rules leave out of the registry, each with its reason: whatever is not listed
// here (or opaque in all its rules, so that there is nothing to compare) must be drawn, executed,
// and, if it is a match, be both true and false. Covered by campaign_test.cpp, which holds the list
// against what a campaign has reached; docs/fidelity.md tells the reasons that matter to users.
#pragma once

#include <optional>
#include <string>

#include "vocabulary/descriptor.hpp"

namespace postern::kernel {

// Why this is not drawn for the family; nullopt: it is.
std::optional<std::string> left_out(const Match& match, Family family);
std::optional<std::string> left_out(const Target& target, Family family);

}  // namespace postern::kernel
