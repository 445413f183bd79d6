// `-j REJECT` for IPv4 (ipt_REJECT): drops and answers. IPv6 has its own kinds: reject6.cpp.
#include "vocabulary/reject_kinds.hpp"

namespace postern::target {
namespace {

constexpr std::array<RejectKind, 8> kKinds{{{"icmp-net-unreachable", "net-unreach", 0},
                                            {"icmp-host-unreachable", "host-unreach", 1},
                                            {"icmp-proto-unreachable", "proto-unreach", 2},
                                            {"icmp-port-unreachable", "port-unreach", 3},
                                            {"icmp-net-prohibited", "net-prohib", 9},
                                            {"icmp-host-prohibited", "host-prohib", 10},
                                            {"tcp-reset", "tcp-rst", kTcpReset},
                                            {"icmp-admin-prohibited", "admin-prohib", 13}}};
constexpr RejectKinds kTable{kKinds, 3, 3};

}  // namespace

extern const Target reject;
const Target reject{
    .name = "REJECT",
    .families = {Family::kIpv4},
    .options = {{.name = "--reject-with", .type = ValueType::kText}},
    .effect = [](const Arguments& arguments) { return reject_effect(kTable, arguments); },
    .print = [](const Arguments& arguments) { return reject_print(kTable, arguments); },
    .tables = {"filter"},
    .hooks = {"INPUT", "FORWARD", "OUTPUT"},
    .refused = [](const Arguments& arguments,
                  const RulePlace&) { return reject_refused(kTable, arguments); },
};

}  // namespace postern::target
