// Who would own an option that the rule's extensions do not have: implied matches, aliases, and
// what to say when nobody does. Internal to lib/ir; covered by tests/unit/bind_test.cpp.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ir/draft.hpp"

namespace postern {

// The match that "-p PROTOCOL" loads when one of its options is met; empty: there is none.
std::string_view protocol_match_name(std::uint8_t protocol, Family family);
// The same as a descriptor; nullptr: none that postern knows.
const Match* protocol_match(std::uint8_t protocol, Family family);

// The match that a question may leave out ("--length 100"); nullptr: -m or -p is needed.
const Match* question_match(std::string_view option, Family family);

// "ipv6-icmp" and "icmpv6" mean "icmp6" after -m.
std::string_view match_alias(std::string_view name);

// Could it be an extension's name (upper case), not a chain's?
bool looks_like_target(std::string_view name);

// What would be right instead of an unknown option; empty when nothing sensible can be said.
// `implied`: the match that the rule's protocol would load, or nullptr.
std::string option_help(std::string_view option, std::span<Extension* const> loaded,
                        const Match* implied, Family family, bool question);

}  // namespace postern
