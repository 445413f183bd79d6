// `-m connbytes`: how much an entry has counted so far (xt_connbytes). Without an entry, or without
// accounting, it does not match, inverted or not.
#include <array>

#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

constexpr std::array<NamedValue, 3> kModes{{{"packets", 0}, {"bytes", 1}, {"avgpkt", 2}}};
constexpr std::array<NamedValue, 3> kDirections{{{"original", 0}, {"reply", 1}, {"both", 2}}};
constexpr std::uint64_t kMost = ~std::uint64_t{0};

// "5" and "5:" have no upper end here.
std::optional<NumberRange> range(const Arguments& arguments) {
  const std::vector<std::string> ends = split(*arguments.get<std::string>("--connbytes"), ':');
  const auto end = [](const std::string& text, std::uint64_t missing) {
    return text.empty() ? std::optional(missing) : read_number(text);
  };
  const auto low = end(ends.front(), 0);
  const auto high = ends.size() == 1 ? std::optional(kMost) : end(ends.back(), kMost);
  if (!low || !high || ends.size() > 2) return std::nullopt;
  return NumberRange{*low, *high};
}

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  const auto mode =
      read_name(kModes, *arguments.get<std::string>("--connbytes-mode"), "mode", false);
  if (!mode) return tl::unexpected(mode.error());
  const auto direction =
      read_name(kDirections, *arguments.get<std::string>("--connbytes-dir"), "direction", false);
  if (!direction) return tl::unexpected(direction.error());
  const auto counted = range(arguments);
  if (!counted || counted->lo > counted->hi) {
    return complaint("\"" + *arguments.get<std::string>("--connbytes") + "\" is not a range",
                     "from:to, the lower number first");
  }
  return MatchMeaning{all({has_entry(), opaque("connbytes: how much the entry has counted")})};
}

std::string print(const Arguments& arguments) {
  const NumberRange counted = *range(arguments);
  std::string text;
  append_option(text, arguments.inverted("--connbytes"), "--connbytes",
                counted.hi == kMost ? to_decimal(counted.lo)
                                    : to_decimal(counted.lo) + ":" + to_decimal(counted.hi));
  append_bound(text, arguments, "--connbytes-mode");
  append_bound(text, arguments, "--connbytes-dir");
  return text;
}

}  // namespace

extern const Match connbytes;
const Match connbytes{
    .name = "connbytes",
    .options =
        {{.name = "--connbytes", .type = ValueType::kText, .invertible = true, .required = true},
         {.name = "--connbytes-mode", .type = ValueType::kText, .required = true},
         {.name = "--connbytes-dir", .type = ValueType::kText, .required = true}},
    .meaning = meaning,
    .switches_on_tracking = true,
    .print = print,
};

}  // namespace postern::match
