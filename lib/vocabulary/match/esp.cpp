// `-m esp`: the security parameter index of an ESP header (xt_esp).
#include "net/protocol.hpp"
#include "vocabulary/spi.hpp"

namespace postern::match {

extern const Match esp;
const Match esp{
    .name = "esp",
    .protocols = {protocol::kEsp},
    .options = {{.name = "--espspi", .type = ValueType::kRange, .invertible = true}},
    .meaning =
        [](const Arguments& arguments) {
          return spi_meaning(protocol::kEsp, arguments, "--espspi");
        },
    .print = [](const Arguments& arguments) { return spi_print(arguments, "--espspi"); },
};

}  // namespace postern::match
