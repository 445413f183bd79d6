// `-m cgroup`: the control group of the packet's socket (xt_cgroup).
#include "vocabulary/build.hpp"

namespace postern::match {

extern const Match cgroup;
const Match cgroup{
    .name = "cgroup",
    .options = {{.name = "--path", .type = ValueType::kText, .invertible = true},
                {.name = "--cgroup", .type = ValueType::kUnsigned, .invertible = true}},
    .meaning = undecided("cgroup: which process owns the socket"),
    .hooks = {"INPUT", "OUTPUT", "POSTROUTING"},
    .refused = [](const Arguments& arguments, const RulePlace&) -> std::optional<std::string> {
      if (arguments.options.size() == 1) return std::nullopt;
      return "it needs either --path or --cgroup";
    },
};

}  // namespace postern::match
