// Legacy tables come as one block of entries. A built-in chain begins at its hook_entry and its
// policy is at its underflow; a user chain begins with an ERROR entry that holds its name; the last
// entry of a user chain is its implicit RETURN, the last of all a closing ERROR.
// The kernel's headers leave alone the names that libc has declared before them.
// clang-format off
#include <netinet/in.h>
#include <sys/socket.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
// clang-format on

#include <array>
#include <cstring>

#include "kernel/counters.hpp"

namespace postern::kernel {
namespace {

constexpr std::array<std::string_view, NF_INET_NUMHOOKS> kHookChains{
    "PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"};
constexpr std::string_view kErrorTarget = "ERROR";

struct V4 {
  using Info = ipt_getinfo;
  using Blob = ipt_get_entries;
  using Entry = ipt_entry;
  static constexpr int kDomain = AF_INET, kLevel = IPPROTO_IP;
  static constexpr int kGetInfo = IPT_SO_GET_INFO, kGetEntries = IPT_SO_GET_ENTRIES;
};
struct V6 {
  using Info = ip6t_getinfo;
  using Blob = ip6t_get_entries;
  using Entry = ip6t_entry;
  static constexpr int kDomain = AF_INET6, kLevel = IPPROTO_IPV6;
  static constexpr int kGetInfo = IP6T_SO_GET_INFO, kGetEntries = IP6T_SO_GET_ENTRIES;
};

// The name that an entry gives to the chain it begins; empty for a rule.
std::string chain_name(const std::uint8_t* entry, std::uint16_t target_offset) {
  xt_entry_target target;
  std::memcpy(&target, entry + target_offset, sizeof target);
  if (kErrorTarget != target.u.user.name) return {};
  const char* name = reinterpret_cast<const char*>(entry + target_offset + sizeof target);
  return std::string(name, strnlen(name, XT_FUNCTION_MAXNAMELEN));
}

template <class Version>
class LegacyCounters : public CounterSource {
 public:
  LegacyCounters(FileDescriptor socket, std::vector<TableName> tables)
      : socket_(std::move(socket)), tables_(std::move(tables)) {}

  Outcome<std::vector<CounterReading>> read() override {
    std::vector<CounterReading> readings;
    for (TableName table : tables_) {
      if (auto done = read_table(table, readings); !done) return tl::unexpected(done.error());
    }
    return readings;
  }

 private:
  using Entry = typename Version::Entry;

  Outcome<void> read_table(TableName table, std::vector<CounterReading>& to) {
    typename Version::Info info{};
    text(table).copy(info.name, sizeof info.name - 1);
    socklen_t size = sizeof info;
    if (getsockopt(socket_.get(), Version::kLevel, Version::kGetInfo, &info, &size) != 0) {
      return system_error("reading the counters of " + std::string(text(table)));
    }
    buffer_.resize(sizeof(typename Version::Blob) + info.size);
    auto* blob = reinterpret_cast<typename Version::Blob*>(buffer_.data());
    std::memset(blob, 0, sizeof *blob);
    text(table).copy(blob->name, sizeof blob->name - 1);
    blob->size = info.size;
    size = static_cast<socklen_t>(buffer_.size());
    if (getsockopt(socket_.get(), Version::kLevel, Version::kGetEntries, blob, &size) != 0) {
      return system_error("reading the counters of " + std::string(text(table)));
    }
    walk(table, info, buffer_.data() + offsetof(typename Version::Blob, entrytable), to);
    return {};
  }

  static void walk(TableName table, const typename Version::Info& info, const std::uint8_t* entries,
                   std::vector<CounterReading>& to) {
    std::string chain;
    std::uint32_t number = 0;
    for (std::uint32_t at = 0; at + sizeof(Entry) <= info.size;) {
      Entry entry;
      std::memcpy(&entry, entries + at, sizeof entry);
      const std::uint32_t next = at + entry.next_offset;
      const std::string named = chain_name(entries + at, entry.target_offset);
      bool policy = false;
      for (std::size_t hook = 0; hook < kHookChains.size(); ++hook) {
        if ((info.valid_hooks >> hook & 1) == 0) continue;
        if (info.hook_entry[hook] == at) {
          chain = kHookChains[hook];
          number = 0;
        }
        if (info.underflow[hook] == at) policy = true;
      }
      if (!named.empty()) {
        chain = named;
        number = 0;
      } else if (policy) {
        to.push_back({{table, chain, 0}, {entry.counters.pcnt, entry.counters.bcnt}});
      } else if (!ends_user_chain(info, entries, next)) {
        to.push_back({{table, chain, ++number}, {entry.counters.pcnt, entry.counters.bcnt}});
      }
      if (entry.next_offset == 0) break;
      at = next;
    }
  }

  // Is the entry before `next` the implicit RETURN of a user chain? Built-in chains end in their
  // policy, which is told apart before; so it is when a chain head follows.
  static bool ends_user_chain(const typename Version::Info& info, const std::uint8_t* entries,
                              std::uint32_t next) {
    if (next + sizeof(Entry) > info.size) return true;
    Entry entry;
    std::memcpy(&entry, entries + next, sizeof entry);
    return !chain_name(entries + next, entry.target_offset).empty();
  }

  FileDescriptor socket_;
  std::vector<TableName> tables_;
  std::vector<std::uint8_t> buffer_;
};

template <class Version>
Outcome<std::unique_ptr<CounterSource>> make(std::vector<TableName> tables) {
  FileDescriptor fd(socket(Version::kDomain, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
  if (!fd.valid()) return system_error("cannot open a raw socket");
  return std::make_unique<LegacyCounters<Version>>(std::move(fd), std::move(tables));
}

}  // namespace

Outcome<std::unique_ptr<CounterSource>> legacy_counters(Family family,
                                                        std::vector<TableName> tables) {
  return family == Family::kIpv4 ? make<V4>(std::move(tables)) : make<V6>(std::move(tables));
}

}  // namespace postern::kernel
