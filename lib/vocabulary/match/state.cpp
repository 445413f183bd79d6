// `-m state`: the old name of `-m conntrack --ctstate` (kernel-facts 21).
#include "vocabulary/ct_names.hpp"

namespace postern::match {
namespace {

constexpr std::span<const NamedValue> kStates = std::span(kCtStates).first(5);

tl::expected<std::uint64_t, Complaint> states(const Arguments& arguments) {
  return read_names(kStates, *arguments.get<std::vector<std::string>>("--state"),
                    "connection state", true);
}

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  return states(arguments).map([&](std::uint64_t bits) {
    return MatchMeaning{negate_if(arguments.inverted("--state"), ct_state_test(bits))};
  });
}

std::string print(const Arguments& arguments) {
  std::string text;
  append_option(text, arguments.inverted("--state"), "--state",
                print_names(kStates, *states(arguments)));
  return text;
}

}  // namespace

extern const Match state;
const Match state{
    .name = "state",
    .options =
        {{.name = "--state", .type = ValueType::kWordList, .invertible = true, .required = true}},
    .meaning = meaning,
    .switches_on_tracking = true,
    .print = print,
};

}  // namespace postern::match
