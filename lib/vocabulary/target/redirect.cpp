// `-j REDIRECT`: maps the destination of a flow to this host (xt_REDIRECT; kernel-facts 54).
#include "vocabulary/nat.hpp"

namespace postern::target {
namespace {

constexpr std::string_view kOption = "--to-ports";

}  // namespace

extern const Target redirect;
const Target redirect{
    .name = "REDIRECT",
    .options = {{.name = "--to-ports", .type = ValueType::kNatPorts}, {.name = "--random"}},
    .effect =
        [](const Arguments& arguments) {
          return nat_effect(Nat::Kind::kRedirect, kOption, arguments);
        },
    .switches_on_tracking = true,
    .print = [](const Arguments& arguments) { return nat_print(kOption, arguments); },
    .tables = {"nat"},
    .hooks = {"PREROUTING", "OUTPUT"},
};

}  // namespace postern::target
