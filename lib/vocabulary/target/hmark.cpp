// `-j HMARK`: sets the mark to a hash of the flow (xt_HMARK); which value is not in the text.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "vocabulary/build.hpp"

namespace postern::target {
namespace {

// What a word of --hmark-tuple stands for; "ct" is none of these and stays.
struct Part {
  std::string_view word, option;
  unsigned digits;  // of its hex value; 0: a decimal one
  std::uint64_t mask;
};
constexpr std::array<Part, 6> kParts{{{"src", "--hmark-src-prefix", 0, 0},
                                      {"dst", "--hmark-dst-prefix", 0, 0},
                                      {"sport", "--hmark-sport-mask", 4, 0xffff},
                                      {"dport", "--hmark-dport-mask", 4, 0xffff},
                                      {"spi", "--hmark-spi-mask", 8, 0xffffffff},
                                      {"proto", "--hmark-proto-mask", 2, 0xffff}}};

bool in_tuple(const Arguments& arguments, std::string_view word) {
  const auto* words = arguments.get<std::vector<std::string>>("--hmark-tuple");
  return words != nullptr && std::ranges::find(*words, word) != words->end();
}

tl::expected<Effect, Complaint> effect(const Arguments& arguments) {
  if (const auto* words = arguments.get<std::vector<std::string>>("--hmark-tuple")) {
    for (const std::string& word : *words) {
      const bool known =
          word == "ct" || std::ranges::find(kParts, word, &Part::word) != kParts.end();
      if (!known)
        return complaint("\"" + word + "\" is no part of a flow",
                         "one of src, dst, sport, dport, spi, proto, ct");
    }
  }
  for (const Part& part : kParts) {
    if (in_tuple(arguments, part.word) && arguments.has(part.option)) {
      return complaint(std::string(part.option) +
                       " is given twice: --hmark-tuple stands for it, too");
    }
  }
  const auto given = [&](std::string_view word, std::string_view option) {
    return in_tuple(arguments, word) || arguments.has(option);
  };
  const bool spi = given("spi", "--hmark-spi-mask");
  if (spi && (given("sport", "--hmark-sport-mask") || given("dport", "--hmark-dport-mask"))) {
    return complaint("a flow has an SPI or ports, not both");
  }
  // --hmark-rnd and --hmark-mod, and one thing to hash at least.
  if (arguments.options.size() == 2 + (arguments.has("--hmark-offset") ? 1U : 0U)) {
    return complaint("nothing to hash", "add --hmark-tuple");
  }
  return Effect{OpaqueTarget{.why = "HMARK: a hash sets the mark"}};
}

void append_hex(std::string& text, const Arguments& arguments, std::string_view option,
                unsigned digits) {
  if (const auto* value = arguments.get<NumberRange>(option)) {
    append_option(text, false, option,
                  fmt::format("0x{:0{}x}", static_cast<std::uint64_t>(value->lo), digits));
  }
}

// The tuple's words are written as the options that they stand for.
void append_part(std::string& text, const Arguments& arguments, const Part& part) {
  const bool whole = in_tuple(arguments, part.word);
  if (part.digits == 0) {
    const char* bits = arguments.family == Family::kIpv4 ? "32" : "128";
    if (whole) return append_option(text, false, part.option, bits);
    return append_bound(text, arguments, part.option);
  }
  if (whole) return append_option(text, false, part.option, fmt::format("0x{:x}", part.mask));
  append_hex(text, arguments, part.option, part.digits);
}

std::string print(const Arguments& arguments) {
  std::string text;
  for (std::size_t i = 0; i < 2; ++i) append_part(text, arguments, kParts[i]);
  append_part(text, arguments, kParts[2]);
  append_hex(text, arguments, "--hmark-sport", 4);
  append_part(text, arguments, kParts[3]);
  append_hex(text, arguments, "--hmark-dport", 4);
  append_part(text, arguments, kParts[4]);
  append_hex(text, arguments, "--hmark-spi", 8);
  append_part(text, arguments, kParts[5]);
  append_hex(text, arguments, "--hmark-rnd", 8);
  append_bound(text, arguments, "--hmark-mod");
  append_bound(text, arguments, "--hmark-offset");
  if (in_tuple(arguments, "ct")) append_option(text, false, "--hmark-tuple", "ct");
  return text;
}

}  // namespace

extern const Target hmark;
const Target hmark{
    .name = "HMARK",
    .options = {{.name = "--hmark-tuple", .type = ValueType::kWordList},
                {.name = "--hmark-src-prefix", .type = ValueType::kUnsigned, .max = 128},
                {.name = "--hmark-dst-prefix", .type = ValueType::kUnsigned, .max = 128},
                {.name = "--hmark-sport-mask", .type = ValueType::kHex, .max = 65535},
                {.name = "--hmark-dport-mask", .type = ValueType::kHex, .max = 65535},
                {.name = "--hmark-spi-mask", .type = ValueType::kHex},
                {.name = "--hmark-sport", .type = ValueType::kHex, .max = 65535},
                {.name = "--hmark-dport", .type = ValueType::kHex, .max = 65535},
                {.name = "--hmark-spi", .type = ValueType::kHex},
                {.name = "--hmark-proto-mask", .type = ValueType::kHex, .max = 65535},
                {.name = "--hmark-rnd", .type = ValueType::kHex, .required = true},
                {.name = "--hmark-mod", .type = ValueType::kUnsigned, .required = true, .min = 1},
                {.name = "--hmark-offset", .type = ValueType::kUnsigned}},
    .effect = effect,
    .print = print,
    .tables = {"mangle", "raw", "filter", "security", "nat"},
};

}  // namespace postern::target
