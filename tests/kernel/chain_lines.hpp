// Tables of test cases leave out the lines of built-in chains: here every one gets its line, with
// policy ACCEPT unless there is one. (iptables-nft counts no policy of a chain without a line.)
#pragma once

#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace postern::kernel {

inline std::string with_chains(const std::string& text) {
  static const std::map<std::string, std::vector<std::string>> kChains{
      {"*raw", {"PREROUTING", "OUTPUT"}},
      {"*mangle", {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"}},
      {"*nat", {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"}},
      {"*filter", {"INPUT", "FORWARD", "OUTPUT"}}};
  std::istringstream lines(text);
  std::string out, line;
  while (std::getline(lines, line)) {
    out += line + "\n";
    const auto table = kChains.find(line);
    if (table == kChains.end()) continue;
    const std::size_t begin = static_cast<std::size_t>(lines.tellg());
    const std::string body = text.substr(begin, text.find("COMMIT", begin) - begin);
    for (const std::string& chain : table->second) {
      if (body.find(":" + chain + " ") == std::string::npos) out += ":" + chain + " ACCEPT [0:0]\n";
    }
  }
  return out;
}

}  // namespace postern::kernel
