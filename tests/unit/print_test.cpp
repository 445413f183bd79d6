// Canonical text: what iptables-legacy-save 1.8.9 printed for the same rules.
#include "ir/print.hpp"

#include "ir_texts.hpp"

namespace postern {
namespace {

std::string printed(const std::string& text, std::optional<Family> family = std::nullopt) {
  const auto source = source_of(text);
  const auto bound = read_ruleset(source, family);
  return bound ? print(bound->ruleset) : rendered(bound.error(), *source);
}

// The rule as printed, which must print itself again.
std::string rule(const std::string& words, Family family = Family::kIpv4) {
  const std::string before = "*filter\n:INPUT ACCEPT [0:0]\n:u - [0:0]\n", after = "COMMIT\n";
  const std::string text = printed(before + "-A INPUT " + words + "\n" + after, family);
  if (!text.starts_with(before)) return text;
  EXPECT_EQ(printed(text, family), text);
  return text.substr(before.size(), text.size() - before.size() - after.size() - 1);
}

TEST(Print, WritesTheWholeFile) {
  const std::string text =
      "*raw\n:PREROUTING ACCEPT [3:4]\nCOMMIT\n"
      "*filter\n:INPUT DROP [1:2]\n:user - [0:0]\n[5:6] -A INPUT -j user\n-A user\nCOMMIT\n";
  EXPECT_EQ(printed(text), text);
}

TEST(Print, PutsBuiltInOptionsInIptablesOrder) {
  EXPECT_EQ(rule("-j u -f -p tcp -i lo -d 192.0.2.2/24 -s 192.0.2.1"),
            "-A INPUT -s 192.0.2.1/32 -d 192.0.2.0/24 -i lo -p tcp -f -j u");
  EXPECT_EQ(rule("! -f ! -p 6 ! -i lo ! -d 192.0.2.0/255.255.0.255 ! -s 10/8 -g u"),
            "-A INPUT ! -s 10.0.0.0/8 ! -d 192.0.0.0/255.255.0.255 ! -i lo ! -p tcp ! -f -g u");
  EXPECT_EQ(rule("-s 2001:db8::5/32 -p ipv6-icmp", Family::kIpv6),
            "-A INPUT -s 2001:db8::/32 -p ipv6-icmp");
}

TEST(Print, LeavesOutWhatSaysNothing) {
  EXPECT_EQ(rule("-s 0.0.0.0/0 -i + -p all -j ACCEPT"), "-A INPUT -j ACCEPT");
  EXPECT_EQ(rule("! -s 0.0.0.0/0"), "-A INPUT ! -s 0.0.0.0/0");
}

// iptables-legacy-save prints nothing here, and so turns "never" into "always" (kernel-facts 59).
TEST(Print, KeepsTheInvertedWildcard) { EXPECT_EQ(rule("! -i +"), "-A INPUT ! -i +"); }

TEST(Print, KeepsMatchesInTheirOrder) {
  EXPECT_EQ(rule("-m comment --comment x -p tcp --dport 80 -m tcp --sport 1 -j ACCEPT"),
            "-A INPUT -p tcp -m comment --comment x -m tcp --dport 80 -m tcp --sport 1 -j ACCEPT");
}

TEST(Print, QuotesAsIptablesSave) {
  EXPECT_EQ(rule(R"(-m comment --comment "a\\b\"c")"),
            R"(-A INPUT -m comment --comment "a\\b\"c")");
  EXPECT_EQ(rule(R"(-m comment --comment a\b)"), R"(-A INPUT -m comment --comment "a\\b")");
  EXPECT_EQ(rule(R"(-m comment --comment "plain-word")"),
            "-A INPUT -m comment --comment plain-word");
}

TEST(Print, KeepsUnknownWordsAsWritten) {
  EXPECT_EQ(rule(R"(-m foo --rate 5/sec ! --text "a b" "c" -j BAR --x=y)"),
            R"(-A INPUT -m foo --rate 5/sec ! --text "a b" c -j BAR --x y)");
  EXPECT_EQ(rule(R"(-m "f oo" --x "" --y "a\\b c" --z "a\\b" -i "e h" -g u)"),
            R"(-A INPUT -i "e h" -m "f oo" --x "" --y "a\\b c" --z a\b -g u)");
}

}  // namespace
}  // namespace postern
