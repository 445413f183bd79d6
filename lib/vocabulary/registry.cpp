#include "vocabulary/registry.hpp"

#include <algorithm>

namespace postern {
namespace {

// A name may belong to two descriptors, one for each family (REJECT, for instance).
template <class Descriptor>
const Descriptor* find(std::span<const Descriptor* const> all, std::string_view name,
                       Family family) {
  for (const Descriptor* descriptor : all) {
    if (descriptor->name == name &&
        std::ranges::find(descriptor->families, family) != descriptor->families.end()) {
      return descriptor;
    }
  }
  return nullptr;
}

}  // namespace

const Match* find_match(std::string_view name, Family family) {
  return find(all_matches(), name, family);
}

const Target* find_target(std::string_view name, Family family) {
  return find(all_targets(), name, family);
}

}  // namespace postern
