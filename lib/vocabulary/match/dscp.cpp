// `-m dscp`: the six upper bits of the type-of-service byte or traffic class (xt_dscp).
#include "vocabulary/tos_names.hpp"

namespace postern::match {
namespace {

tl::expected<std::uint64_t, Complaint> code(const Arguments& arguments) {
  return read_dscp(arguments, "--dscp", "--dscp-class");
}

bool inverted(const Arguments& arguments) { return arguments.options.front().inverted; }

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  const auto value = code(arguments);
  if (!value) return tl::unexpected(value.error());
  return MatchMeaning{negate_if(inverted(arguments), masked(Field::kTos, *value << 2, 0xfc))};
}

std::string print(const Arguments& arguments) {
  std::string text;
  append_option(text, inverted(arguments), "--dscp", print_dscp(*code(arguments)));
  return text;
}

}  // namespace

extern const Match dscp;
const Match dscp{
    .name = "dscp",
    .options = {{.name = "--dscp",
                 .type = ValueType::kUnsigned,
                 .invertible = true,
                 .required = true,
                 .excludes = "code",
                 .max = 63},
                {.name = "--dscp-class",
                 .type = ValueType::kText,
                 .invertible = true,
                 .excludes = "code"}},
    .meaning = meaning,
    .print = print,
};

}  // namespace postern::match
