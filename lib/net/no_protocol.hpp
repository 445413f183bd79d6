// What rules take for the protocol of an IPv6 packet that ends within its extension headers: it has
// none. The number is that of a header that is no protocol there, and that no rule can ask for
// (`-p 0` is every packet). Covered by tests/support/backend_cases.hpp.
#pragma once

#include <cstdint>

namespace postern {

inline constexpr std::uint8_t kNoProtocol6 = 0;

// Of each extension header Linux wants to see two bytes.
inline constexpr unsigned kSeenOfExtension = 2;

}  // namespace postern
