// `-j HMARK`: sets the mark to a hash of the flow (xt_HMARK); which value is not in the text.
#include "vocabulary/build.hpp"

namespace postern::target {

extern const Target hmark;
const Target hmark{
    .name = "HMARK",
    .options = {{.name = "--hmark-tuple", .type = ValueType::kWordList},
                {.name = "--hmark-src-prefix", .type = ValueType::kUnsigned, .max = 128},
                {.name = "--hmark-dst-prefix", .type = ValueType::kUnsigned, .max = 128},
                {.name = "--hmark-sport-mask", .type = ValueType::kHex, .max = 65535},
                {.name = "--hmark-dport-mask", .type = ValueType::kHex, .max = 65535},
                {.name = "--hmark-spi-mask", .type = ValueType::kHex},
                {.name = "--hmark-sport", .type = ValueType::kPort},
                {.name = "--hmark-dport", .type = ValueType::kPort},
                {.name = "--hmark-spi", .type = ValueType::kHex},
                {.name = "--hmark-proto-mask", .type = ValueType::kHex, .max = 255},
                {.name = "--hmark-rnd", .type = ValueType::kInterface},
                {.name = "--hmark-mod", .type = ValueType::kUnsigned, .required = true, .min = 1},
                {.name = "--hmark-offset", .type = ValueType::kUnsigned}},
    .effect = undecided_target("HMARK: a hash sets the mark"),
    .tables = {"mangle", "raw", "filter", "security", "nat"},
};

}  // namespace postern::target
