// `-m limit`: a token bucket (xt_limit). How full it is when a packet comes is not in the text.
#include "vocabulary/build.hpp"
#include "vocabulary/rate.hpp"

namespace postern::match {
namespace {

constexpr std::uint64_t kScale = 10000;  // XT_LIMIT_SCALE

// Every word before the '/' is read; without --limit the rate is 3/hour.
std::optional<std::uint64_t> period(const Arguments& arguments) {
  const auto* rate = arguments.get<std::string>("--limit");
  return read_rate(rate == nullptr ? "3/hour" : *rate, kScale);
}

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  if (!period(arguments)) {
    return complaint("\"" + *arguments.get<std::string>("--limit") + "\" is not a rate",
                     "a count and a unit, such as 5/second; at most 10000/second");
  }
  return MatchMeaning{opaque("limit: how many packets came before")};
}

std::string print(const Arguments& arguments) {
  std::string text;
  append_option(text, false, "--limit", print_rate(*period(arguments), kScale));
  const auto* burst = arguments.get<NumberRange>("--limit-burst");
  if (burst != nullptr && burst->lo != 5) {
    append_option(text, false, "--limit-burst", to_decimal(burst->lo));
  }
  return text;
}

}  // namespace

extern const Match limit;
const Match limit{
    .name = "limit",
    .options = {{.name = "--limit", .type = ValueType::kText},
                {.name = "--limit-burst", .type = ValueType::kUnsigned, .max = 10000}},
    .meaning = meaning,
    .print = print,
};

}  // namespace postern::match
