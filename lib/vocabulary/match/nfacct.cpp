// `-m nfacct`: counts in a named object; matches, or is true while its quota is exceeded
// (xt_nfacct).
#include "vocabulary/build.hpp"

namespace postern::match {

extern const Match nfacct;
const Match nfacct{
    .name = "nfacct",
    .options = {{.name = "--nfacct-name", .type = ValueType::kText, .required = true}},
    .meaning = undecided("nfacct: whether a quota is exceeded"),
};

}  // namespace postern::match
