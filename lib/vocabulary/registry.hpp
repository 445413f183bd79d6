// The generated tables of every known match and target (cmake/Registry.cmake).
#pragma once

#include <span>
#include <string_view>

#include "vocabulary/descriptor.hpp"

namespace postern {

std::span<const Match* const> all_matches();
std::span<const Target* const> all_targets();

// By the name in the text, for this family; nullptr when postern does not know it.
const Match* find_match(std::string_view name, Family family);
const Target* find_target(std::string_view name, Family family);

}  // namespace postern
