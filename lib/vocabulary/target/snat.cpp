// `-j SNAT`: maps the source of a flow (xt_nat).
#include "vocabulary/nat.hpp"

namespace postern::target {
namespace {

constexpr std::string_view kOption = "--to-source";

}  // namespace

extern const Target snat;
const Target snat{
    .name = "SNAT",
    .options = {{.name = "--to-source", .type = ValueType::kNatRange, .required = true},
                {.name = "--random"},
                {.name = "--random-fully"},
                {.name = "--persistent"}},
    .effect =
        [](const Arguments& arguments) {
          return nat_effect(Nat::Kind::kSource, kOption, arguments);
        },
    .switches_on_tracking = true,
    .print = [](const Arguments& arguments) { return nat_print(kOption, arguments); },
    .tables = {"nat"},
    .hooks = {"POSTROUTING", "INPUT"},
};

}  // namespace postern::target
