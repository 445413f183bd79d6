// `-m tos`: the type-of-service byte or traffic class under a mask (xt_dscp.c, tos_mt).
#include "vocabulary/tos_names.hpp"

namespace postern::match {
namespace {

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  const auto tos = read_tos(*arguments.get<std::string>("--tos"));
  if (!tos) return tl::unexpected(tos.error());
  return MatchMeaning{
      negate_if(arguments.inverted("--tos"), masked(Field::kTos, tos->value, tos->mask))};
}

std::string print(const Arguments& arguments) {
  std::string text;
  append_option(text, arguments.inverted("--tos"), "--tos",
                print_tos(*read_tos(*arguments.get<std::string>("--tos"))));
  return text;
}

}  // namespace

extern const Match tos;
const Match tos{
    .name = "tos",
    .options = {{.name = "--tos", .type = ValueType::kText, .invertible = true, .required = true}},
    .meaning = meaning,
    .print = print,
};

}  // namespace postern::match
