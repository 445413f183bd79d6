// `-j REJECT` for IPv6 (ip6t_REJECT): drops and answers.
#include "vocabulary/reject_kinds.hpp"

namespace postern::target {
namespace {

constexpr std::array<RejectKind, 7> kKinds{{{"icmp6-no-route", "no-route", 0},
                                            {"icmp6-adm-prohibited", "adm-prohibited", 1},
                                            {"icmp6-addr-unreachable", "addr-unreach", 3},
                                            {"icmp6-port-unreachable", "port-unreach", 4},
                                            {"tcp-reset", "tcp-reset", kTcpReset},
                                            {"icmp6-policy-fail", "policy-fail", 5},
                                            {"icmp6-reject-route", "reject-route", 6}}};
constexpr RejectKinds kTable{kKinds, 1, 4};

}  // namespace

extern const Target reject6;
const Target reject6{
    .name = "REJECT",
    .families = {Family::kIpv6},
    .options = {{.name = "--reject-with", .type = ValueType::kText}},
    .effect = [](const Arguments& arguments) { return reject_effect(kTable, arguments); },
    .print = [](const Arguments& arguments) { return reject_print(kTable, arguments); },
    .tables = {"filter"},
    .hooks = {"INPUT", "FORWARD", "OUTPUT"},
    .refused = [](const Arguments& arguments,
                  const RulePlace&) { return reject_refused(kTable, arguments); },
};

}  // namespace postern::target
