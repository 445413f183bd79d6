// Values, options and what all descriptors share. What single extensions mean is in the tables of
// corpus/matches and corpus/targets (table_test.cpp).
#include <gtest/gtest.h>

#include <set>

#include "vocabulary/rate.hpp"
#include "vocabulary/registry.hpp"

namespace postern {
namespace {

// Reads and prints a value; "! message" when it is refused.
std::string again(ValueType type, const std::vector<std::string>& words,
                  ValueContext context = {}) {
  const auto value = read_value(type, words, context);
  return value ? print_value(type, *value) : "! " + value.error().message;
}

TEST(Value, PrintsWhatIptablesSavePrints) {
  EXPECT_EQ(again(ValueType::kUnsigned, {"0x10"}), "16");
  EXPECT_EQ(again(ValueType::kUnsigned, {"010"}), "8");
  EXPECT_EQ(again(ValueType::kHex, {"10"}), "0xa");
  EXPECT_EQ(again(ValueType::kRange, {"5:"}), "5:4294967295");
  EXPECT_EQ(again(ValueType::kPort, {"ssh"}), "22");
  EXPECT_EQ(again(ValueType::kPortRange, {":ssh"}, {.protocol = 6}), "0:22");
  EXPECT_EQ(again(ValueType::kPortRange, {"20:10"}), "20:10");
  EXPECT_EQ(again(ValueType::kPortList, {"1,2:3,http"}), "1,2:3,80");
  EXPECT_EQ(again(ValueType::kPrefix, {"10/8"}), "10.0.0.0/8");
  EXPECT_EQ(again(ValueType::kPrefixList, {"10/8,192.0.2.1"}), "10.0.0.0/8,192.0.2.1/32");
  EXPECT_EQ(again(ValueType::kAddressRange, {"192.0.2.1"}), "192.0.2.1-192.0.2.1");
  EXPECT_EQ(again(ValueType::kMasked, {"5"}), "0x5");
  EXPECT_EQ(again(ValueType::kMasked, {"5/0xff"}), "0x5/0xff");
  EXPECT_EQ(again(ValueType::kFlagsPair, {"ALL", "syn,ACK"}), "FIN,SYN,RST,PSH,ACK,URG SYN,ACK");
  EXPECT_EQ(again(ValueType::kFlagsPair, {"SYN", "NONE"}), "SYN NONE");
  EXPECT_EQ(again(ValueType::kText, {"a b"}), "\"a b\"");
}

TEST(Value, NatRanges) {
  EXPECT_EQ(again(ValueType::kNatRange, {"192.0.2.1-192.0.2.9:80-90"}),
            "192.0.2.1-192.0.2.9:80-90");
  EXPECT_EQ(again(ValueType::kNatRange, {":80"}), ":80");
  EXPECT_EQ(again(ValueType::kNatRange, {"192.0.2.1:80-90/8000"}), "192.0.2.1:80-90/8000");
  EXPECT_EQ(again(ValueType::kNatPorts, {"80-90"}), "80-90");
  const ValueContext v6{.family = Family::kIpv6};
  EXPECT_EQ(again(ValueType::kNatRange, {"[2001:db8::1]:80"}, v6), "[2001:db8::1]:80");
  EXPECT_EQ(again(ValueType::kNatRange, {"2001:db8::1"}, v6), "2001:db8::1");
  EXPECT_EQ(again(ValueType::kNatRange, {"[2001:db8::1]"}, v6), "2001:db8::1");
}

TEST(Value, SaysWhatIsWrong) {
  EXPECT_EQ(again(ValueType::kUnsigned, {"300"}, {.max = 255}), "! \"300\" is out of range");
  EXPECT_EQ(again(ValueType::kUnsigned, {"-1"}), "! \"-1\" is not a number");
  EXPECT_EQ(again(ValueType::kPort, {"65536"}), "! \"65536\" is not a port");
  EXPECT_EQ(again(ValueType::kPort, {"ssh"}, {.protocol = 17}), "! \"ssh\" is not a port of udp");
  EXPECT_EQ(again(ValueType::kPrefix, {"www.example.org"}),
            "! \"www.example.org\" is not an IPv4 address");
  EXPECT_EQ(again(ValueType::kFlagsPair, {"SYN", "FOO"}), "! \"FOO\" is not a TCP flag");
  EXPECT_EQ(again(ValueType::kProtocol, {"tpc"}), "! \"tpc\" is not a protocol");
  EXPECT_EQ(again(ValueType::kNatPorts, {"9-3"}), "! the port range \"9-3\" runs backwards");
}

TEST(Value, QuotesAsIptablesSaveDoes) {
  EXPECT_EQ(quote_word("ab-c_d9"), "ab-c_d9");
  EXPECT_EQ(quote_word("a.b"), "\"a.b\"");
  EXPECT_EQ(quote_word("it's \"x\""), "\"it\\'s \\\"x\\\"\"");
  EXPECT_EQ(quote_word(""), "\"\"");
}

TEST(Rate, LargestUnitThatStaysExact) {
  const auto again_rate = [](std::string_view text) {
    const auto period = read_rate(text, 10000);
    return period ? print_rate(*period, 10000) : std::string("-");
  };
  EXPECT_EQ(again_rate("5/s"), "5/sec");
  EXPECT_EQ(again_rate("30/minute"), "30/min");
  EXPECT_EQ(again_rate("90/min"), "90/min");
  EXPECT_EQ(again_rate("10000/s"), "10000/sec");
  EXPECT_EQ(again_rate("3/hour"), "3/hour");
  EXPECT_EQ(again_rate("7/d"), "7/day");
  for (const char* bad : {"", "0/s", "10001/s", "5/", "5/week", "x/s"}) {
    EXPECT_EQ(again_rate(bad), "-") << bad;
  }
}

TEST(Option, IsFoundByNameAliasOrUniqueBeginning) {
  const Match* tcp = find_match("tcp", Family::kIpv4);
  ASSERT_NE(tcp, nullptr);
  EXPECT_EQ(find_option(tcp->options, "--dport").spec->name, "--dport");
  EXPECT_EQ(find_option(tcp->options, "--destination-port").spec->name, "--dport");
  EXPECT_EQ(find_option(tcp->options, "--dp").spec->name, "--dport");
  EXPECT_TRUE(find_option(tcp->options, "--tcp").ambiguous);
  EXPECT_EQ(find_option(tcp->options, "--zzz").spec, nullptr);
  EXPECT_EQ(find_option(tcp->options, "-").spec, nullptr);
}

TEST(Option, ComplainsAboutTheWhole) {
  const Match* tcp = find_match("tcp", Family::kIpv4);
  const auto bind = [&](std::vector<BoundOption> options, std::optional<std::uint8_t> protocol) {
    const Arguments arguments{.options = options, .protocol = protocol};
    const auto bound = bind_match(*tcp, arguments);
    return bound ? "ok" : bound.error().message;
  };
  const Arguments rule{.protocol = 6};
  const BoundOption syn = *read_option(*find_option(tcp->options, "--syn").spec, false, {}, rule);
  const BoundOption flags = *read_option(*find_option(tcp->options, "--tcp-flags").spec, true,
                                         std::vector<std::string>{"SYN", "SYN"}, rule);
  EXPECT_EQ(bind({syn}, 6), "ok");
  const std::string_view input = "INPUT";
  const RulePlace place{"filter", std::span(&input, 1)};
  EXPECT_EQ(kernel_refuses(*tcp, {}, place), "it needs -p tcp");
  EXPECT_EQ(kernel_refuses(*tcp, {.protocol = 6}, place), std::nullopt);
  const Target* notrack = find_target("NOTRACK", Family::kIpv6);
  EXPECT_EQ(kernel_refuses(*notrack, {}, place), "it is not allowed in table filter");
  EXPECT_EQ(bind({syn, syn}, 6), "--syn is given twice");
  EXPECT_EQ(bind({syn, flags}, 6), "--syn and --tcp-flags exclude each other");
  const Arguments arguments{.options = std::span(&flags, 1), .protocol = 6};
  EXPECT_EQ(print_match(*tcp, arguments), "-m tcp ! --tcp-flags SYN SYN");
}

TEST(Registry, NamesAreUniquePerFamily) {
  std::set<std::pair<std::string_view, Family>> seen;
  for (const Match* match : all_matches()) {
    for (const Family family : match->families) {
      EXPECT_TRUE(seen.emplace(match->name, family).second) << match->name;
      EXPECT_EQ(find_match(match->name, family), match);
    }
    EXPECT_TRUE(match->meaning) << match->name;
  }
  seen.clear();
  for (const Target* target : all_targets()) {
    for (const Family family : target->families) {
      EXPECT_TRUE(seen.emplace(target->name, family).second) << target->name;
      EXPECT_EQ(find_target(target->name, family), target);
    }
    EXPECT_TRUE(target->effect) << target->name;
  }
  EXPECT_EQ(find_match("no-such-thing", Family::kIpv4), nullptr);
}

}  // namespace
}  // namespace postern
