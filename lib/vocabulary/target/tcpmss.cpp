// `-j TCPMSS`: lowers the maximum segment size that a SYN announces, or adds that option
// (xt_TCPMSS).
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

tl::expected<Effect, Complaint> effect(const Arguments& arguments) {
  LowerMss mss;
  if (const auto* size = arguments.get<NumberRange>("--set-mss")) {
    mss.size = static_cast<std::uint16_t>(size->lo);
  }
  return Effect{Annotate{"TCPMSS", mss}};
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
    .effect = effect,
    .refused = refused,
};

}  // namespace postern::target
