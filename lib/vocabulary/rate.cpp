#include "vocabulary/rate.hpp"

#include <array>
#include <charconv>

namespace postern {
namespace {

struct Unit {
  std::string_view read;
  std::string_view print;
  std::uint64_t seconds;
};
constexpr std::array kUnits{Unit{"day", "day", 86400}, Unit{"hour", "hour", 3600},
                            Unit{"minute", "min", 60}, Unit{"second", "sec", 1}};

std::optional<std::uint64_t> seconds_of(std::string_view unit) {
  if (unit.empty()) return std::nullopt;
  for (const Unit& known : kUnits) {
    if (known.read.starts_with(unit)) return known.seconds;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> read_rate(std::string_view text, std::uint64_t scale) {
  const std::size_t slash = text.find('/');
  std::uint64_t seconds = 1;
  if (slash != std::string_view::npos) {
    const auto unit = seconds_of(text.substr(slash + 1));
    if (!unit) return std::nullopt;
    seconds = *unit;
  }
  const std::string_view digits = text.substr(0, slash);
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (error != std::errc() || end != digits.data() + digits.size() || count == 0) {
    return std::nullopt;
  }
  const std::uint64_t period = scale * seconds / count;
  return period == 0 ? std::nullopt : std::optional(period);
}

std::string print_rate(std::uint64_t period, std::uint64_t scale) {
  // From the longest unit down, as long as the count per unit stays more exact than its remainder.
  std::size_t chosen = 0;
  for (std::size_t i = 1; i < kUnits.size(); ++i) {
    const std::uint64_t length = kUnits[i].seconds * scale;
    if (period > length || length / period < length % period) break;
    chosen = i;
  }
  return std::to_string(kUnits[chosen].seconds * scale / period) + "/" +
         std::string(kUnits[chosen].print);
}

}  // namespace postern
