// `-m cluster`: whether this node of a cluster is responsible for the flow, by a hash of its source
// (xt_cluster). Without an entry it does not match, inverted or not.
#include <fmt/format.h>

#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

// The nodes as a bit mask; "! --cluster-local-node" inverts, as "! --cluster-local-nodemask" does.
std::uint64_t mask(const Arguments& arguments) {
  if (const auto* node = arguments.get<NumberRange>("--cluster-local-node")) {
    return std::uint64_t{1} << (static_cast<unsigned>(node->lo) - 1);
  }
  return static_cast<std::uint64_t>(arguments.get<NumberRange>("--cluster-local-nodemask")->lo);
}

bool inverted(const Arguments& arguments) {
  return arguments.inverted("--cluster-local-node") ||
         arguments.inverted("--cluster-local-nodemask");
}

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  const auto total = arguments.get<NumberRange>("--cluster-total-nodes")->lo;
  if (mask(arguments) >= u128{1} << static_cast<unsigned>(total)) {
    return complaint("a node beyond --cluster-total-nodes", "nodes count from 1");
  }
  return MatchMeaning{all({has_entry(), opaque("cluster: which node is responsible")})};
}

std::string print(const Arguments& arguments) {
  std::string text;
  append_option(text, inverted(arguments), "--cluster-local-nodemask",
                fmt::format("0x{:08x}", mask(arguments)));
  append_bound(text, arguments, "--cluster-total-nodes");
  append_option(
      text, false, "--cluster-hash-seed",
      fmt::format("0x{:08x}", static_cast<std::uint64_t>(
                                  arguments.get<NumberRange>("--cluster-hash-seed")->lo)));
  return text;
}

}  // namespace

extern const Match cluster;
const Match cluster{
    .name = "cluster",
    .options = {{.name = "--cluster-total-nodes",
                 .type = ValueType::kUnsigned,
                 .required = true,
                 .min = 1,
                 .max = 32},
                {.name = "--cluster-local-node",
                 .type = ValueType::kUnsigned,
                 .invertible = true,
                 .required = true,
                 .excludes = "nodes",
                 .min = 1,
                 .max = 32},
                {.name = "--cluster-local-nodemask",
                 .type = ValueType::kUnsigned,
                 .invertible = true,
                 .excludes = "nodes"},
                {.name = "--cluster-hash-seed", .type = ValueType::kUnsigned, .required = true}},
    .meaning = meaning,
    .switches_on_tracking = true,
    .print = print,
};

}  // namespace postern::match
