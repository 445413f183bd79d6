// `-m tcpmss`: the maximum segment size that a TCP header announces (xt_tcpmss). A header with
// malformed options is dropped on the spot.
#include "net/protocol.hpp"
#include "vocabulary/build.hpp"

namespace postern::match {

extern const Match tcpmss;
const Match tcpmss{
    .name = "tcpmss",
    .protocols = {protocol::kTcp},
    .options = {{.name = "--mss",
                 .type = ValueType::kRange,
                 .invertible = true,
                 .required = true,
                 .max = 65535}},
    .meaning = [](const Arguments&) -> tl::expected<MatchMeaning, Complaint> {
      return on_transport(protocol::kTcp, opaque("tcpmss: the MSS option of the segment", true));
    },
};

}  // namespace postern::match
