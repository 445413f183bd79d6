// `-m physdev`: the ports of a bridge (xt_physdev), which are not modelled.
#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  if (arguments.options.empty()) {
    return complaint("-m physdev without an option", "add --physdev-in or another of its options");
  }
  return MatchMeaning{opaque("physdev: which port of a bridge the packet uses")};
}

}  // namespace

extern const Match physdev;
const Match physdev{
    .name = "physdev",
    .options = {{.name = "--physdev-is-in", .invertible = true},
                {.name = "--physdev-in", .type = ValueType::kInterface, .invertible = true},
                {.name = "--physdev-is-out", .invertible = true},
                {.name = "--physdev-out", .type = ValueType::kInterface, .invertible = true},
                {.name = "--physdev-is-bridged", .invertible = true}},
    .meaning = meaning,
};

}  // namespace postern::match
