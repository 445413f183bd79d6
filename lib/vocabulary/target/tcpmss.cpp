// `-j TCPMSS`: lowers the maximum segment size that a SYN announces (xt_TCPMSS). Known gap: a SYN
// without that option gets one, which makes it four bytes longer.
#include "net/protocol.hpp"
#include "vocabulary/build.hpp"

namespace postern::target {
namespace {

std::optional<std::string> refused(const Arguments& arguments, const RulePlace& place) {
  if (!arguments.has("--clamp-mss-to-pmtu")) return std::nullopt;
  for (const std::string_view hook : place.hooks) {
    if (hook == "PREROUTING" || hook == "INPUT") {
      return "--clamp-mss-to-pmtu is not allowed in " + std::string(hook);
    }
  }
  return std::nullopt;
}

}  // namespace

extern const Target tcpmss;
const Target tcpmss{
    .name = "TCPMSS",
    .protocols = {protocol::kTcp},
    .options = {{.name = "--set-mss",
                 .type = ValueType::kUnsigned,
                 .required = true,
                 .excludes = "size",
                 .max = 65535},
                {.name = "--clamp-mss-to-pmtu", .excludes = "size"}},
    .effect = annotates("TCPMSS"),
    .refused = refused,
};

}  // namespace postern::target
