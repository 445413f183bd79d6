#include "net/protocol.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace postern {
namespace {

struct Name {
  std::uint8_t number;
  std::string_view name;
};

// The protocol names of Debian's netbase 6.4 (/etc/protocols), which iptables-save prints.
constexpr std::array kNames{
    Name{1, "icmp"},        Name{2, "igmp"},
    Name{3, "ggp"},         Name{4, "ipencap"},
    Name{5, "st"},          Name{6, "tcp"},
    Name{8, "egp"},         Name{9, "igp"},
    Name{12, "pup"},        Name{17, "udp"},
    Name{20, "hmp"},        Name{22, "xns-idp"},
    Name{27, "rdp"},        Name{29, "iso-tp4"},
    Name{33, "dccp"},       Name{36, "xtp"},
    Name{37, "ddp"},        Name{38, "idpr-cmtp"},
    Name{41, "ipv6"},       Name{43, "ipv6-route"},
    Name{44, "ipv6-frag"},  Name{45, "idrp"},
    Name{46, "rsvp"},       Name{47, "gre"},
    Name{50, "esp"},        Name{51, "ah"},
    Name{57, "skip"},       Name{58, "ipv6-icmp"},
    Name{59, "ipv6-nonxt"}, Name{60, "ipv6-opts"},
    Name{73, "rspf"},       Name{81, "vmtp"},
    Name{88, "eigrp"},      Name{89, "ospf"},
    Name{93, "ax.25"},      Name{94, "ipip"},
    Name{97, "etherip"},    Name{98, "encap"},
    Name{103, "pim"},       Name{108, "ipcomp"},
    Name{112, "vrrp"},      Name{115, "l2tp"},
    Name{124, "isis"},      Name{132, "sctp"},
    Name{133, "fc"},        Name{135, "mobility-header"},
    Name{136, "udplite"},   Name{137, "mpls-in-ip"},
    Name{138, "manet"},     Name{139, "hip"},
    Name{140, "shim6"},     Name{141, "wesp"},
    Name{142, "rohc"},      Name{143, "ethernet"},
};

// Names that are read but never printed: iptables' own short list and usual aliases.
constexpr std::array kAliases{
    Name{0, "all"},      Name{0, "ip"},        Name{0, "hopopt"},    Name{58, "icmpv6"},
    Name{58, "icmp6"},   Name{135, "ipv6-mh"}, Name{135, "mh"},      Name{4, "ipip4"},
    Name{4, "ip-encap"}, Name{89, "ospfigp"},  Name{47, "ipv4-gre"},
};

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

}  // namespace

std::optional<std::uint8_t> protocol_number(std::string_view text) {
  unsigned number = 0;
  const char* end = text.data() + text.size();
  const int base = text.starts_with("0x") || text.starts_with("0X") ? 16 : 10;
  const char* begin = text.data() + (base == 16 ? 2 : 0);
  const auto [stop, error] = std::from_chars(begin, end, number, base);
  if (error == std::errc() && stop == end) {
    if (number > 255) return std::nullopt;
    return static_cast<std::uint8_t>(number);
  }
  const std::string name = lower(text);
  for (const Name& entry : kNames) {
    if (entry.name == name) return entry.number;
  }
  for (const Name& entry : kAliases) {
    if (entry.name == name) return entry.number;
  }
  return std::nullopt;
}

std::string protocol_name(std::uint8_t number) {
  for (const Name& entry : kNames) {
    if (entry.number == number) return std::string(entry.name);
  }
  return std::to_string(number);
}

}  // namespace postern
