// Addresses, prefixes, protocol and service names (lib/net).
#include <gtest/gtest.h>

#include "net/address.hpp"
#include "net/protocol.hpp"

namespace postern {
namespace {

std::string prefix(std::string_view text, Family family = Family::kIpv4) {
  const auto read = Prefix::parse(text, family);
  return read ? read->text() : "-";
}

TEST(Address, ReadsOnlyNumericText) {
  EXPECT_EQ(Address::parse("192.0.2.1")->value, u128{0xc0000201});
  EXPECT_EQ(Address::parse("2001:db8::1")->text(), "2001:db8::1");
  EXPECT_EQ(Address::parse("2001:db8::1")->family, Family::kIpv6);
  for (const char* bad : {"", "192.0.2", "192.0.2.256", "localhost", "::g", "1.2.3.4/8"}) {
    EXPECT_FALSE(Address::parse(bad)) << bad;
  }
  EXPECT_FALSE(Address::parse("::1", Family::kIpv4));
}

TEST(Prefix, ReadsWhatIptablesReads) {
  EXPECT_EQ(prefix("10.1.2.3/8"), "10.0.0.0/8");
  EXPECT_EQ(prefix("10/8"), "10.0.0.0/8");
  EXPECT_EQ(prefix("10"), "10.0.0.0/32");
  EXPECT_EQ(prefix("010.1/16"), "8.1.0.0/16");  // octal, as strtoul with base 0
  EXPECT_EQ(prefix("10.0.0.1/255.0.255.0"), "10.0.0.0/255.0.255.0");
  EXPECT_EQ(prefix("1.2.3.4/255.255.0.0"), "1.2.0.0/16");
  EXPECT_EQ(prefix("0.0.0.0/0"), "0.0.0.0/0");
  for (const char* bad : {"", "/8", "1.2.3.4/33", "1.2.3.4/255.0", "1.2.3.4.5", "1.2.3.", "a/8",
                          "1.2.3.4/", "256/8", "1.-2.3.4"}) {
    EXPECT_EQ(prefix(bad), "-") << bad;
  }
}

TEST(Prefix, ReadsIpv6) {
  EXPECT_EQ(prefix("2001:db8::1/32", Family::kIpv6), "2001:db8::/32");
  EXPECT_EQ(prefix("::/ffff::", Family::kIpv6), "::/16");
  EXPECT_EQ(prefix("fe80::1/ffff::f", Family::kIpv6), "fe80::1/ffff::f");
  EXPECT_EQ(prefix("::1", Family::kIpv6), "::1/128");
  EXPECT_EQ(prefix("::1/129", Family::kIpv6), "-");
}

TEST(Protocol, NamesAndNumbers) {
  EXPECT_EQ(protocol_number("TCP"), 6);
  EXPECT_EQ(protocol_number("icmpv6"), 58);
  EXPECT_EQ(protocol_number("all"), 0);
  EXPECT_EQ(protocol_number("255"), 255);
  for (const char* bad : {"", "256", "-1", "tcpx", "6x"}) EXPECT_FALSE(protocol_number(bad)) << bad;
  EXPECT_EQ(protocol_name(47), "gre");
  EXPECT_EQ(protocol_name(58), "ipv6-icmp");
  EXPECT_EQ(protocol_name(200), "200");
}

TEST(Service, ByProtocol) {
  EXPECT_EQ(service_port("ssh", "tcp"), 22);
  EXPECT_EQ(service_port("domain", "udp"), 53);
  EXPECT_EQ(service_port("domain", ""), 53);
  EXPECT_FALSE(service_port("ssh", "udp"));
  EXPECT_FALSE(service_port("SSH", "tcp"));
}

}  // namespace
}  // namespace postern
