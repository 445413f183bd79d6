// The sysctls of connection tracking by name. Covered by tests/unit/conntrack_table_test.cpp.
#include <array>
#include <charconv>
#include <string>

#include "engine/conntrack.hpp"

namespace postern {
namespace {

constexpr std::string_view kPrefix = "net/netfilter/nf_conntrack_";

struct Timeout {
  std::string_view name;
  std::uint32_t ConntrackTimeouts::*member;
};
constexpr std::array kTimeouts{
    Timeout{"tcp_timeout_max_retrans", &ConntrackTimeouts::tcp_max_retrans},
    Timeout{"tcp_timeout_unacknowledged", &ConntrackTimeouts::tcp_unacknowledged},
    Timeout{"udp_timeout", &ConntrackTimeouts::udp},
    Timeout{"udp_timeout_stream", &ConntrackTimeouts::udp_stream},
    Timeout{"icmp_timeout", &ConntrackTimeouts::icmp},
    Timeout{"icmpv6_timeout", &ConntrackTimeouts::icmpv6},
    Timeout{"generic_timeout", &ConntrackTimeouts::generic},
    Timeout{"gre_timeout", &ConntrackTimeouts::gre},
    Timeout{"gre_timeout_stream", &ConntrackTimeouts::gre_stream},
    Timeout{"sctp_timeout_closed", &ConntrackTimeouts::sctp_closed},
    Timeout{"sctp_timeout_cookie_wait", &ConntrackTimeouts::sctp_cookie_wait},
    Timeout{"sctp_timeout_cookie_echoed", &ConntrackTimeouts::sctp_cookie_echoed},
    Timeout{"sctp_timeout_established", &ConntrackTimeouts::sctp_established},
    Timeout{"sctp_timeout_shutdown_sent", &ConntrackTimeouts::sctp_shutdown_sent},
    Timeout{"sctp_timeout_shutdown_recd", &ConntrackTimeouts::sctp_shutdown_received},
    Timeout{"sctp_timeout_shutdown_ack_sent", &ConntrackTimeouts::sctp_shutdown_ack_sent},
    Timeout{"sctp_timeout_heartbeat_sent", &ConntrackTimeouts::sctp_heartbeat_sent},
};

struct Switch {
  std::string_view name;
  bool ConntrackConfig::*member;
};
constexpr std::array kSwitches{
    Switch{"tcp_loose", &ConntrackConfig::tcp_loose},
    Switch{"tcp_be_liberal", &ConntrackConfig::tcp_be_liberal},
    Switch{"tcp_ignore_invalid_rst", &ConntrackConfig::tcp_ignore_invalid_rst},
    Switch{"checksum", &ConntrackConfig::checksum},
};

// SYN_SENT2's timeout has no sysctl: it is SYN_SENT's default, always.
bool set_tcp_state(ConntrackConfig& config, std::string_view name, std::uint32_t value) {
  constexpr std::string_view kStatePrefix = "tcp_timeout_";
  if (!name.starts_with(kStatePrefix)) return false;
  std::string state(name.substr(kStatePrefix.size()));
  for (char& c : state) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  const auto found = tcp_state(state);
  if (!found || *found == TcpState::kNone || *found == TcpState::kSynSent2) return false;
  config.timeouts.tcp[static_cast<std::size_t>(*found)] = value;
  return true;
}

}  // namespace

bool ConntrackTable::set_sysctl(std::string_view key, std::string_view value) {
  std::string path(key);
  for (char& c : path) c = c == '.' ? '/' : c;
  if (!path.starts_with(kPrefix)) return false;
  const std::string_view name = std::string_view(path).substr(kPrefix.size());
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) return false;
  for (const auto& each : kSwitches) {
    if (each.name != name) continue;
    config_.*each.member = number != 0;
    return true;
  }
  for (const auto& each : kTimeouts) {
    if (each.name != name) continue;
    config_.timeouts.*each.member = number;
    return true;
  }
  if (name == "tcp_max_retrans") {
    config_.tcp_max_retrans = number;
    return true;
  }
  return set_tcp_state(config_, name, number);
}

}  // namespace postern
