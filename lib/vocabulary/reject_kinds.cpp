#include "vocabulary/reject_kinds.hpp"

#include "net/protocol.hpp"

namespace postern {
namespace {

// A name or alias, or the first that begins with the word, as iptables takes them.
tl::expected<std::uint64_t, Complaint> code(const RejectKinds& table, const Arguments& arguments) {
  const auto* word = arguments.get<std::string>("--reject-with");
  if (word == nullptr) return table.default_code;
  std::vector<NamedValue> names;
  for (const RejectKind& kind : table.kinds) names.push_back({kind.name, kind.code});
  auto by_name = read_name(names, *word, "kind of reject", true);
  if (by_name) return by_name;
  std::vector<NamedValue> aliases;
  for (const RejectKind& kind : table.kinds) aliases.push_back({kind.alias, kind.code});
  const auto by_alias = read_name(aliases, *word, "kind of reject", true);
  return by_alias ? by_alias : by_name;
}

}  // namespace

tl::expected<Effect, Complaint> reject_effect(const RejectKinds& table,
                                              const Arguments& arguments) {
  const auto read = code(table, arguments);
  if (!read) return tl::unexpected(read.error());
  if (*read == kTcpReset) return Effect{Reject{.tcp_reset = true}};
  return Effect{Reject{false, table.icmp_type, static_cast<std::uint8_t>(*read)}};
}

std::string reject_print(const RejectKinds& table, const Arguments& arguments) {
  const std::uint64_t wanted = *code(table, arguments);
  for (const RejectKind& kind : table.kinds) {
    if (kind.code == wanted) return "--reject-with " + std::string(kind.name);
  }
  return "";
}

std::optional<std::string> reject_refused(const RejectKinds& table, const Arguments& arguments) {
  const bool tcp = arguments.protocol == protocol::kTcp && !arguments.protocol_inverted;
  if (tcp || *code(table, arguments) != kTcpReset) return std::nullopt;
  return "tcp-reset needs -p tcp";
}

}  // namespace postern
