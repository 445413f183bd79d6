// What REJECT of both families shares: a table of kinds of answers.
// Covered by corpus/targets/{REJECT,REJECT6}.t.
#pragma once

#include <array>
#include <span>

#include "vocabulary/build.hpp"

namespace postern {

inline constexpr std::uint8_t kTcpReset = 255;  // no ICMP code

struct RejectKind {
  std::string_view name, alias;
  std::uint8_t code;
};
struct RejectKinds {
  std::span<const RejectKind> kinds;
  std::uint8_t icmp_type;     // of all of them: destination unreachable
  std::uint8_t default_code;  // without --reject-with
};

tl::expected<Effect, Complaint> reject_effect(const RejectKinds& table, const Arguments& arguments);
std::string reject_print(const RejectKinds& table, const Arguments& arguments);
// A TCP reset needs -p tcp.
std::optional<std::string> reject_refused(const RejectKinds& table, const Arguments& arguments);

}  // namespace postern
