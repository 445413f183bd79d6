// Interface names and iptables' patterns for them: "eth0" is exact, "eth+" a prefix, "+" anything.
#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace postern {

// A pattern of -i/-o. The kernel compares at most 15 bytes (IFNAMSIZ - 1).
// A packet without that interface (-o in PREROUTING, -i in OUTPUT) has the empty name: "+" matches
// it and every other pattern does not (kernel-facts 12).
struct InterfacePattern {
  std::string name;     // without the '+'
  bool prefix = false;  // ended in '+'
  auto operator<=>(const InterfacePattern&) const = default;

  static InterfacePattern parse(std::string_view text) {
    if (!text.empty() && text.back() == '+') {
      return {std::string(text.substr(0, text.size() - 1)), true};
    }
    return {std::string(text), false};
  }
  bool matches(std::string_view interface) const {
    return prefix ? interface.substr(0, name.size()) == name : interface == name;
  }
  std::string text() const { return prefix ? name + "+" : name; }
};

}  // namespace postern
