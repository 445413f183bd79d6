// `-m tcpmss`: the maximum segment size that a TCP header announces (xt_tcpmss). A header with
// malformed options is dropped on the spot.
#include "net/protocol.hpp"
#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

// It reads later fragments as well, from whatever bytes stand there.
tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  const auto* range = arguments.get<NumberRange>("--mss");
  if (range->lo > range->hi) {
    return complaint("the range of --mss runs backwards", "the lower number first");
  }
  return MatchMeaning{all({equals(Field::kProtocol, protocol::kTcp),
                           opaque("tcpmss: the MSS option of the segment", true)})};
}

}  // namespace

extern const Match tcpmss;
const Match tcpmss{
    .name = "tcpmss",
    .protocols = {protocol::kTcp},
    .options = {{.name = "--mss",
                 .type = ValueType::kRange,
                 .invertible = true,
                 .required = true,
                 .max = 65535}},
    .meaning = meaning,
};

}  // namespace postern::match
