// `-m osf`: guesses the sender's operating system from a SYN (xt_osf).
#include "net/protocol.hpp"
#include "vocabulary/build.hpp"

namespace postern::match {

extern const Match osf;
const Match osf{
    .name = "osf",
    .protocols = {protocol::kTcp},
    .options = {{.name = "--genre", .type = ValueType::kText, .invertible = true, .required = true},
                {.name = "--ttl", .type = ValueType::kUnsigned, .max = 2},
                {.name = "--log", .type = ValueType::kUnsigned, .max = 2}},
    .meaning = undecided_transport(protocol::kTcp, "osf: the sender's operating system"),
    .hooks = {"PREROUTING", "INPUT", "FORWARD"},
};

}  // namespace postern::match
