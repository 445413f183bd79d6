// `-j DNAT`: maps the destination of a flow (xt_nat).
#include "vocabulary/nat.hpp"

namespace postern::target {
namespace {

constexpr std::string_view kOption = "--to-destination";

}  // namespace

extern const Target dnat;
const Target dnat{
    .name = "DNAT",
    .options = {{.name = "--to-destination", .type = ValueType::kNatRange, .required = true},
                {.name = "--random"},
                {.name = "--persistent"}},
    .effect =
        [](const Arguments& arguments) {
          return nat_effect(Nat::Kind::kDestination, kOption, arguments);
        },
    .switches_on_tracking = true,
    .print = [](const Arguments& arguments) { return nat_print(kOption, arguments); },
    .tables = {"nat"},
    .hooks = {"PREROUTING", "OUTPUT"},
};

}  // namespace postern::target
