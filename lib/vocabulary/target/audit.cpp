// `-j AUDIT`: a record for the audit daemon (xt_AUDIT).
#include "vocabulary/build.hpp"

namespace postern::target {
namespace {

constexpr NamedValue kTypes[] = {{"accept", 1}, {"drop", 2}, {"reject", 4}};

tl::expected<std::uint64_t, Complaint> type(const Arguments& arguments) {
  return read_name(kTypes, *arguments.get<std::string>("--type"), "type of record", false);
}

tl::expected<Effect, Complaint> effect(const Arguments& arguments) {
  return type(arguments).map([](std::uint64_t) { return Effect{Annotate{"AUDIT"}}; });
}

std::string print(const Arguments& arguments) {
  return "--type " + print_names(kTypes, *type(arguments));
}

}  // namespace

extern const Target audit;
const Target audit{
    .name = "AUDIT",
    .options = {{.name = "--type", .type = ValueType::kText, .required = true}},
    .effect = effect,
    .print = print,
};

}  // namespace postern::target
