// `-m set`: whether the packet's addresses or ports are members of an ipset (xt_set).
#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

constexpr std::size_t kMostFlags = 6;

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  const auto& words = *arguments.get<std::vector<std::string>>("--match-set");
  const std::vector<std::string> flags = split(words[1], ',');
  if (flags.size() > kMostFlags) return complaint("more than 6 of src and dst", "at most 6");
  for (const std::string& flag : flags) {
    if (flag != "src" && flag != "dst") {
      return complaint("\"" + flag + "\" is neither src nor dst", "a comma list of src and dst");
    }
  }
  if (words[0].empty() || words[0].size() > 31) {
    return complaint("\"" + words[0] + "\" is not a set name", "1 to 31 characters");
  }
  return MatchMeaning{opaque("set " + words[0] + ": its members were not given")};
}

// xt_set prints the name unquoted.
std::string print(const Arguments& arguments) {
  const auto& words = *arguments.get<std::vector<std::string>>("--match-set");
  std::string text;
  append_option(text, arguments.inverted("--match-set"), "--match-set", words[0] + " " + words[1]);
  for (const std::string_view name :
       {"--return-nomatch", "--update-counters", "--update-subcounters", "--packets-eq",
        "--packets-lt", "--packets-gt", "--bytes-eq", "--bytes-lt", "--bytes-gt"}) {
    append_bound(text, arguments, name);
  }
  return text;
}

constexpr OptionSpec counter(std::string_view name, bool invertible, std::string_view group) {
  return {.name = name,
          .type = ValueType::kUnsigned,
          .invertible = invertible,
          .excludes = group,
          .max = ~std::uint64_t{0}};
}

}  // namespace

extern const Match set;
const Match set{
    .name = "set",
    .options = {{.name = "--match-set",
                 .aliases = {"--set"},
                 .type = ValueType::kTextPair,
                 .invertible = true,
                 .required = true},
                {.name = "--return-nomatch"},
                {.name = "--update-counters", .invertible = true},
                {.name = "--update-subcounters", .invertible = true},
                counter("--packets-eq", true, "packets"),
                counter("--packets-lt", false, "packets"),
                counter("--packets-gt", false, "packets"),
                counter("--bytes-eq", true, "bytes"),
                counter("--bytes-lt", false, "bytes"),
                counter("--bytes-gt", false, "bytes")},
    .meaning = meaning,
    .print = print,
};

}  // namespace postern::match
