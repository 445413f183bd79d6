// `-m length`: IPv4's total length, IPv6's payload length + 40, in bytes (xt_length). A reversed
// range never matches.
#include "vocabulary/build.hpp"

namespace postern::match {

extern const Match length;
const Match length{
    .name = "length",
    .options = {{.name = "--length",
                 .type = ValueType::kRange,
                 .invertible = true,
                 .required = true,
                 .max = 65535}},
    .meaning = [](const Arguments& arguments) -> tl::expected<MatchMeaning, Complaint> {
      return MatchMeaning{range_test(Field::kLength, arguments, "--length")};
    },
};

}  // namespace postern::match
