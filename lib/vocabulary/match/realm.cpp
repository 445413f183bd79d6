// `-m realm`: the realm of the route that was looked up (xt_realm).
#include "vocabulary/build.hpp"

namespace postern::match {

extern const Match realm;
const Match realm{
    .name = "realm",
    .families = {Family::kIpv4},
    .options =
        {{.name = "--realm", .type = ValueType::kMasked, .invertible = true, .required = true}},
    .meaning = undecided("realm: which route the packet takes"),
    .hooks = {"INPUT", "FORWARD", "OUTPUT", "POSTROUTING"},
};

}  // namespace postern::match
