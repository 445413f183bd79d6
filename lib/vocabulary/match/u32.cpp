// `-m u32`: a small language over the packet's bytes (xt_u32). Its tests are read, so that they
// print canonically, but not interpreted.
#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

bool in(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

// Numbers in hexadecimal and no blanks: "0x0>>0x16&0x3c@0x0>>0x18=0x0"; nullopt when malformed. The
// shape is number (operator number)* with exactly one '=' in each part between "&&".
std::optional<std::string> canonical(std::string_view text) {
  std::string result;
  bool want_number = true;
  bool compared = false;
  for (std::size_t i = 0; i < text.size();) {
    if (in(text[i], " \t")) {
      ++i;
      continue;
    }
    if (want_number) {
      std::size_t end = i;
      while (end < text.size() && in(text[end], "0123456789abcdefABCDEFxX")) ++end;
      const auto number = read_number(text.substr(i, end - i));
      if (end == i || !number || *number > 0xffffffff) return std::nullopt;
      result += hex(*number);
      want_number = false;
      i = end;
      continue;
    }
    std::string_view operation = text.substr(i, 1);
    for (const std::string_view two : {"&&", "<<", ">>"}) {
      if (text.substr(i, 2) == two) operation = two;
    }
    const bool before =
        operation == "&" || operation == "<<" || operation == ">>" || operation == "@";
    const bool after = operation == ":" || operation == ",";
    if (operation == "=" && !compared) {
      compared = true;
    } else if (operation == "&&" && compared) {
      compared = false;
    } else if (!(before && !compared) && !(after && compared)) {
      return std::nullopt;
    }
    result += operation;
    i += operation.size();
    want_number = true;
  }
  if (want_number || !compared) return std::nullopt;
  return result;
}

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  const std::string& tests = *arguments.get<std::string>("--u32");
  if (!canonical(tests)) {
    return complaint("\"" + tests + "\" is not a u32 test", "such as \"6&0xFF=1\"");
  }
  return MatchMeaning{opaque("u32: bytes of the packet")};
}

std::string print(const Arguments& arguments) {
  std::string text;
  append_option(text, arguments.inverted("--u32"), "--u32",
                "\"" + *canonical(*arguments.get<std::string>("--u32")) + "\"");
  return text;
}

}  // namespace

extern const Match u32;
const Match u32{
    .name = "u32",
    .options = {{.name = "--u32", .type = ValueType::kText, .invertible = true, .required = true}},
    .meaning = meaning,
    .print = print,
};

}  // namespace postern::match
