// `-m ipcomp`: the compression parameter index of an IPComp header (xt_ipcomp), which is not
// modelled.
#include "net/protocol.hpp"
#include "vocabulary/build.hpp"

namespace postern::match {

extern const Match ipcomp;
const Match ipcomp{
    .name = "ipcomp",
    .protocols = {108},
    .options = {{.name = "--ipcompspi", .type = ValueType::kRange, .invertible = true},
                {.name = "--compres"}},
    .meaning = undecided_transport(108, "ipcomp: the header's index"),
};

}  // namespace postern::match
