// `-j MASQUERADE`: maps the source of a flow to the address of the interface that it leaves by
// (xt_MASQUERADE; kernel-facts 54).
#include "vocabulary/nat.hpp"

namespace postern::target {
namespace {

constexpr std::string_view kOption = "--to-ports";

}  // namespace

extern const Target masquerade;
const Target masquerade{
    .name = "MASQUERADE",
    .options = {{.name = "--to-ports", .type = ValueType::kNatPorts},
                {.name = "--random"},
                {.name = "--random-fully"}},
    .effect =
        [](const Arguments& arguments) {
          return nat_effect(Nat::Kind::kMasquerade, kOption, arguments);
        },
    .switches_on_tracking = true,
    .print = [](const Arguments& arguments) { return nat_print(kOption, arguments); },
    .tables = {"nat"},
    .hooks = {"POSTROUTING"},
};

}  // namespace postern::target
