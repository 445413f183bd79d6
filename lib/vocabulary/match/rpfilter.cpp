// `-m rpfilter`: whether a reply would leave by the interface that the packet came from
// (xt_rpfilter). Asks the routing tables, which the text does not have.
#include "vocabulary/build.hpp"

namespace postern::match {

extern const Match rpfilter;
const Match rpfilter{
    .name = "rpfilter",
    .options = {{.name = "--loose"},
                {.name = "--validmark"},
                {.name = "--accept-local"},
                {.name = "--invert"}},
    .meaning = undecided("rpfilter: which way a reply would go"),
    .tables = {"raw", "mangle"},
    .hooks = {"PREROUTING"},
};

}  // namespace postern::match
