// `-m statistic`: by chance, or every nth packet (xt_statistic). Probability 0 and 1 and --every 1
// leave nothing to chance.
#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

constexpr double kScale = 2147483648.0;  // the kernel keeps the probability in units of 2^-31

// The probability in the kernel's units, or nullopt when it is not a number from 0 to 1.
std::optional<std::uint64_t> read_probability(const std::string& word) {
  double value = 0;
  const char* end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data(), end, value);
  if (error != std::errc() || stop != end || !(value >= 0 && value <= 1)) return std::nullopt;
  return static_cast<std::uint64_t>(std::lround(kScale * value));
}

// The same switch is --probability's or --every's inversion.
bool inverted(const Arguments& arguments) {
  return arguments.inverted("--probability") || arguments.inverted("--every");
}

tl::expected<MatchMeaning, Complaint> random_meaning(const Arguments& arguments) {
  const auto* word = arguments.get<std::string>("--probability");
  if (word == nullptr) return complaint("--mode random without a chance", "add --probability 0.5");
  for (const std::string_view name : {"--every", "--packet"}) {
    if (!arguments.has(name)) continue;
    return complaint(std::string(name) + " does not go with --mode random", "use --probability");
  }
  const auto probability = read_probability(*word);
  if (!probability) {
    return complaint("\"" + *word + "\" is not a probability", "a number from 0 to 1");
  }
  if (*probability == 0) return MatchMeaning{constant(inverted(arguments))};
  if (static_cast<double>(*probability) >= kScale) {
    return MatchMeaning{constant(!inverted(arguments))};
  }
  return MatchMeaning{opaque("statistic: chance")};
}

tl::expected<MatchMeaning, Complaint> nth_meaning(const Arguments& arguments) {
  const auto* every = arguments.get<NumberRange>("--every");
  const auto* packet = arguments.get<NumberRange>("--packet");
  if (every == nullptr || packet == nullptr) {
    return complaint("--mode nth needs --every and --packet", "such as --every 2 --packet 0");
  }
  if (arguments.has("--probability")) {
    return complaint("--probability does not go with --mode nth", "use --every");
  }
  if (packet->lo >= every->lo) {
    return complaint("--packet must be smaller than --every",
                     "from 0 to " + to_decimal(every->lo - 1));
  }
  if (every->lo == 1) return MatchMeaning{constant(!inverted(arguments))};
  return MatchMeaning{opaque("statistic: how many packets came before")};
}

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  const std::string& mode = *arguments.get<std::string>("--mode");
  if (mode == "random") return random_meaning(arguments);
  if (mode == "nth") return nth_meaning(arguments);
  return complaint("\"" + mode + "\" is not a mode", "random or nth");
}

std::string print(const Arguments& arguments) {
  std::string text;
  append_option(text, false, "--mode", *arguments.get<std::string>("--mode"));
  if (const auto* word = arguments.get<std::string>("--probability")) {
    append_option(text, inverted(arguments), "--probability",
                  fmt::format("{:.11f}", static_cast<double>(*read_probability(*word)) / kScale));
  }
  append_bound(text, arguments, "--every");
  append_bound(text, arguments, "--packet");
  return text;
}

}  // namespace

extern const Match statistic;
const Match statistic{
    .name = "statistic",
    .options = {{.name = "--mode", .type = ValueType::kText, .required = true},
                {.name = "--probability", .type = ValueType::kText, .invertible = true},
                {.name = "--every", .type = ValueType::kUnsigned, .invertible = true, .min = 1},
                {.name = "--packet", .type = ValueType::kUnsigned}},
    .meaning = meaning,
    .print = print,
};

}  // namespace postern::match
