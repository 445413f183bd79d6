// The one list of hooks: which stages a packet meets at each hook, in kernel order, and which hooks
// lie on each path. Engine and symbolic side both walk this and nothing else.
// Sources: kernel-facts 2, 3 (uapi netfilter_ipv4.h NF_IP_PRI_*). Covered by
// tests/unit/hooks_test.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "ir/ruleset.hpp"

namespace postern {

enum class Hook : std::uint8_t { kPrerouting, kInput, kForward, kOutput, kPostrouting };
inline constexpr std::size_t kHookCount = 5;
std::string_view text(Hook hook);  // "PREROUTING"

struct Stage {
  enum class Kind : std::uint8_t {
    kDefragment,  // only when tracking is on
    kTable,       // walk `table`'s built-in chain of this hook
    kConntrack,   // look up or create the entry, compute ctstate (nf_conntrack_in)
    kNat,         // walk the nat table, for the first packet of a flow; apply mappings to all
    kConfirm,     // insert the new entry into the table (nf_conntrack_confirm)
  };
  Kind kind;
  TableName table = TableName::kFilter;  // for kTable and kNat
};

// In order. Stages of tables that the ruleset lacks are listed too; walking them does nothing.
// legacy and nft differ in the order of security and nat in INPUT (kernel-facts 2).
std::span<const Stage> stages(Hook hook, Backend backend);

// in: wire -> local; out: local -> wire; forward: wire -> wire; loopback: local -> lo -> local, the
// same packet (its entry or UNTRACKED mark and its skb mark survive from POSTROUTING to
// PREROUTING).
enum class Path : std::uint8_t { kIn, kOut, kForward, kLoopback };
std::string_view text(Path path);  // "in"
std::span<const Hook> hooks(Path path);
// The path of answers: in <-> out, forward and loopback are their own.
Path reverse(Path path);

}  // namespace postern
