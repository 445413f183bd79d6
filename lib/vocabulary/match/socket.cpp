// `-m socket`: whether a local socket exists for the packet (xt_socket). Known gap:
// --restore-skmark, which also copies the socket's mark to the packet, is not modelled beyond the
// match being opaque.
#include "vocabulary/build.hpp"

namespace postern::match {

extern const Match socket;
const Match socket{
    .name = "socket",
    .options = {{.name = "--transparent"}, {.name = "--nowildcard"}, {.name = "--restore-skmark"}},
    .meaning = undecided("socket: whether a socket waits for the packet"),
    .hooks = {"PREROUTING", "INPUT"},
};

}  // namespace postern::match
