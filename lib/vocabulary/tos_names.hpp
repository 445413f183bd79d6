// Names of the old type-of-service values (RFC 1349) and of DiffServ classes (RFC 2474, 2597,
// 3246), as the matches tos and dscp and the targets TOS and DSCP take them. Covered by
// corpus/matches/{tos,dscp}.t and corpus/targets/{TOS,DSCP}.t.
#pragma once

#include <fmt/format.h>

#include "vocabulary/build.hpp"

namespace postern {

inline constexpr NamedValue kTosNames[] = {{"Minimize-Delay", 0x10},
                                           {"Maximize-Throughput", 0x08},
                                           {"Maximize-Reliability", 0x04},
                                           {"Minimize-Cost", 0x02},
                                           {"Normal-Service", 0x00}};

// "0x10", "0x10/0x3f" or a name; a name comes with the mask 0x3f.
inline tl::expected<MaskedNumber, Complaint> read_tos(const std::string& word) {
  if (const auto name = read_name(kTosNames, word, "", false)) return MaskedNumber{*name, 0x3f};
  const std::vector<std::string> one{word};
  const auto value = read_value(ValueType::kMasked, one, {.max = 255});
  if (value) return std::get<MaskedNumber>(*value);
  return complaint("\"" + word + "\" is not a type of service",
                   "value[/mask], from 0 to 255, or a name such as Minimize-Delay");
}

inline std::string print_tos(const MaskedNumber& tos) {
  return fmt::format("0x{:02x}/0x{:02x}", tos.value, tos.mask);
}

inline constexpr NamedValue kDscpClasses[] = {
    {"CS0", 0x00},  {"CS1", 0x08},  {"CS2", 0x10},  {"CS3", 0x18},  {"CS4", 0x20},  {"CS5", 0x28},
    {"CS6", 0x30},  {"CS7", 0x38},  {"BE", 0x00},   {"AF11", 0x0a}, {"AF12", 0x0c}, {"AF13", 0x0e},
    {"AF21", 0x12}, {"AF22", 0x14}, {"AF23", 0x16}, {"AF31", 0x1a}, {"AF32", 0x1c}, {"AF33", 0x1e},
    {"AF41", 0x22}, {"AF42", 0x24}, {"AF43", 0x26}, {"EF", 0x2e}};

// The code point of a number option (0 to 63) or of a class option; one of them is there.
inline tl::expected<std::uint64_t, Complaint> read_dscp(const Arguments& arguments,
                                                        std::string_view number,
                                                        std::string_view name) {
  if (const auto* value = arguments.get<NumberRange>(number)) {
    return static_cast<std::uint64_t>(value->lo);
  }
  return read_name(kDscpClasses, *arguments.get<std::string>(name), "DiffServ class", false);
}

inline std::string print_dscp(std::uint64_t code) { return fmt::format("0x{:02x}", code); }

}  // namespace postern
