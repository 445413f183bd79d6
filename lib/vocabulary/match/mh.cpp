// `-m mh`: the type of an IPv6 mobility header (ip6t_mh), which is not modelled. A header that is
// cut short or malformed is dropped on the spot.
#include <array>

#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

constexpr std::uint8_t kMobility = 135;
constexpr std::uint64_t kLastType = 255;

constexpr std::array<NamedValue, 17> kTypes{{{"binding-refresh-request", 0},
                                             {"brr", 0},
                                             {"home-test-init", 1},
                                             {"hoti", 1},
                                             {"careof-test-init", 2},
                                             {"coti", 2},
                                             {"home-test", 3},
                                             {"hot", 3},
                                             {"careof-test", 4},
                                             {"cot", 4},
                                             {"binding-update", 5},
                                             {"bu", 5},
                                             {"binding-acknowledgement", 6},
                                             {"binding-acknowledgment", 6},
                                             {"ba", 6},
                                             {"binding-error", 7},
                                             {"be", 7}}};

tl::expected<NumberRange, Complaint> types(const Arguments& arguments) {
  const auto* word = arguments.get<std::string>("--mh-type");
  if (word == nullptr) return NumberRange{0, kLastType};
  const auto end = [](const std::string& text, std::uint64_t missing) {
    if (text.empty()) return tl::expected<std::uint64_t, Complaint>(missing);
    if (const auto number = read_number(text); number && *number <= kLastType) {
      return tl::expected<std::uint64_t, Complaint>(*number);
    }
    return read_name(kTypes, text, "type of mobility header", true);
  };
  const std::vector<std::string> ends = split(*word, ':');
  const auto low = end(ends.front(), 0);
  if (!low) return tl::unexpected(low.error());
  const auto high = end(ends.back(), ends.size() == 1 ? *low : kLastType);
  if (!high) return tl::unexpected(high.error());
  if (ends.size() > 2 || *low > *high) {
    return complaint("\"" + *word + "\" is not a range of types", "the lower type first");
  }
  return NumberRange{*low, *high};
}

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  const auto range = types(arguments);
  if (!range) return tl::unexpected(range.error());
  const bool all_types = *range == NumberRange{0, kLastType};
  const PredicatePtr inside =
      all_types ? constant(true) : opaque("mh: the type of the header", true);
  return on_transport(kMobility, negate_if(arguments.inverted("--mh-type"), inside));
}

std::string print(const Arguments& arguments) {
  const NumberRange range = *types(arguments);
  const bool inverted = arguments.inverted("--mh-type");
  std::string text;
  if (!inverted && range == NumberRange{0, kLastType}) return text;
  append_option(text, inverted, "--mh-type", print_value(ValueType::kRange, range));
  return text;
}

}  // namespace

extern const Match mh;
const Match mh{
    .name = "mh",
    .families = {Family::kIpv6},
    .protocols = {kMobility},
    .options = {{.name = "--mh-type", .type = ValueType::kText, .invertible = true}},
    .meaning = meaning,
    .print = print,
};

}  // namespace postern::match
