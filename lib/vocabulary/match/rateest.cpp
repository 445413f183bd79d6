// `-m rateest`: compares rates that RATEEST measured (xt_rateest).
#include "vocabulary/build.hpp"

namespace postern::match {

extern const Match rateest;
const Match rateest{
    .name = "rateest",
    .options = {{.name = "--rateest1",
                 .aliases = {"--rateest"},
                 .type = ValueType::kText,
                 .required = true},
                {.name = "--rateest-delta"},
                {.name = "--rateest-bps1", .type = ValueType::kText},
                {.name = "--rateest-pps1", .type = ValueType::kText},
                {.name = "--rateest-lt", .invertible = true, .required = true, .excludes = "order"},
                {.name = "--rateest-gt", .invertible = true, .excludes = "order"},
                {.name = "--rateest-eq", .invertible = true, .excludes = "order"},
                {.name = "--rateest2", .type = ValueType::kText},
                {.name = "--rateest-bps2", .type = ValueType::kText},
                {.name = "--rateest-pps2", .type = ValueType::kText}},
    .meaning = undecided("rateest: how much traffic there was"),
};

}  // namespace postern::match
