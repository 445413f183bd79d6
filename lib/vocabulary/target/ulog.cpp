// `-j ULOG`: a copy to user space, by an interface that kernels have lost since (ipt_ULOG).
#include "vocabulary/build.hpp"

namespace postern::target {

extern const Target ulog;
const Target ulog{
    .name = "ULOG",
    .families = {Family::kIpv4},
    .options = {{.name = "--ulog-prefix", .type = ValueType::kText},
                {.name = "--ulog-nlgroup", .type = ValueType::kUnsigned, .min = 1, .max = 32},
                {.name = "--ulog-cprange", .type = ValueType::kUnsigned},
                {.name = "--ulog-qthreshold", .type = ValueType::kUnsigned, .min = 1, .max = 50}},
    .effect = annotates("ULOG"),
};

}  // namespace postern::target
