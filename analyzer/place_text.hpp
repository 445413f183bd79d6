// Where a packet died, in words. Covered by tests/unit/trace_test.cpp.
#pragma once

#include <string>
#include <string_view>

namespace postern {

// " in INPUT", " after PREROUTING" (PacketReport::died_at); nothing of what did not die.
inline std::string place_text(std::string_view died_at) {
  if (died_at.empty()) return "";
  const bool hook = !died_at.starts_with("after ") && !died_at.starts_with("before ");
  return (hook ? " in " : " ") + std::string(died_at);
}

}  // namespace postern
