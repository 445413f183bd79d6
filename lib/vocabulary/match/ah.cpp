// `-m ah`: the security parameter index of an AH header (ipt_ah). IPv6, where AH is an extension
// header, has its own: ah6.cpp.
#include "net/protocol.hpp"
#include "vocabulary/spi.hpp"

namespace postern::match {

extern const Match ah;
const Match ah{
    .name = "ah",
    .families = {Family::kIpv4},
    .protocols = {protocol::kAh},
    .options = {{.name = "--ahspi", .type = ValueType::kRange, .invertible = true}},
    .meaning =
        [](const Arguments& arguments) { return spi_meaning(protocol::kAh, arguments, "--ahspi"); },
    .print = [](const Arguments& arguments) { return spi_print(arguments, "--ahspi"); },
};

}  // namespace postern::match
