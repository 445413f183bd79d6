// The security parameter index of esp and ah: not modelled, but a full or empty range needs none.
// Covered by corpus/matches/{esp,ah}.t.
#pragma once

#include "vocabulary/build.hpp"

namespace postern {

inline constexpr std::uint64_t kLastSpi = 0xffffffff;

inline tl::expected<MatchMeaning, Complaint> spi_meaning(std::uint8_t protocol,
                                                         const Arguments& arguments,
                                                         std::string_view option) {
  const auto* range = arguments.get<NumberRange>(option);
  PredicatePtr inside = opaque("the header's security parameter index");
  if (range == nullptr || *range == NumberRange{0, kLastSpi}) inside = constant(true);
  if (range != nullptr && range->lo > range->hi) inside = constant(false);
  return on_transport(protocol, negate_if(arguments.inverted(option), inside));
}

inline std::string spi_print(const Arguments& arguments, std::string_view option) {
  std::string text;
  append_range(text, arguments, option, kLastSpi);
  return text;
}

}  // namespace postern
