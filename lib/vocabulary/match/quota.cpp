// `-m quota`: matches until so many bytes have passed (xt_quota).
#include "vocabulary/build.hpp"

namespace postern::match {

extern const Match quota;
const Match quota{
    .name = "quota",
    .options = {{.name = "--quota",
                 .type = ValueType::kUnsigned,
                 .invertible = true,
                 .required = true,
                 .max = ~std::uint64_t{0}}},
    .meaning = undecided("quota: how many bytes came before"),
};

}  // namespace postern::match
