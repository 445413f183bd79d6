// Rules on link-layer addresses: answers for every host and card agree with a plain reading of the
// rules, and rulesets that give each of very many hosts its card stay within a small budget.
#include "symbolic/sets/mac_codes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>

#include "symbolic_fixture.hpp"

namespace postern {
namespace {

std::string card(unsigned number) {
  char text[32];
  std::snprintf(text, sizeof text, "00:16:3e:00:%02x:%02x", number >> 8, number & 0xff);
  return text;
}

std::string rules(const std::string& body) {
  return "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n" + body +
         "COMMIT\n";
}

std::vector<std::string> asked(const std::string& source, const std::string& mac) {
  return {"-i", "eth0", "-p", "udp", "-s", source, "-m", "mac", "--mac-source", mac};
}

// One model for many questions.
class Questions {
 public:
  Questions(const Program& program, const std::vector<std::vector<std::string>>& matches,
            const ModelOptions& options = {}) {
    for (const auto& match : matches) asked_.push_back(words(match, program.ruleset().family));
    model_ = Model::build(program, asked_, options).value();
  }
  Model& model() { return *model_; }
  std::string deliver(Path path, std::size_t i) {
    return word(model_->deliver(path, model_->question(path, asked_[i]).value()).value().packets);
  }
  std::string connect(Path path, std::size_t i) {
    return word(model_->connect(path, model_->question(path, asked_[i]).value()).value().flows);
  }

 private:
  static std::string word(const Triple& t) {
    if (!t.must.empty()) return "yes";
    if (!t.may.empty()) return "conditional";
    return t.unmodelled.empty() ? "no" : "unknown";
  }
  std::vector<PredicatePtr> asked_;
  std::unique_ptr<Model> model_;
};

TEST(MacCodes, EachHostIsLetInWithItsOwnCard) {
  ModelUnderTest m(
      "cards",
      rules("-A INPUT -s 10.0.0.1 -m mac --mac-source " + card(1) +
            " -j ACCEPT\n-A INPUT -s 10.0.0.2 -m mac --mac-source " + card(2) + " -j ACCEPT\n"),
      {});
  EXPECT_EQ(m.deliver(Path::kIn, asked("10.0.0.1", card(1))), "yes");
  EXPECT_EQ(m.deliver(Path::kIn, asked("10.0.0.2", card(2))), "yes");
  EXPECT_EQ(m.deliver(Path::kIn, asked("10.0.0.1", card(2))), "no");
  EXPECT_EQ(m.deliver(Path::kIn, asked("10.0.0.2", card(1))), "no");
  EXPECT_EQ(m.deliver(Path::kIn, asked("10.0.0.1", card(3))), "no");
  EXPECT_EQ(m.deliver(Path::kIn, asked("10.0.0.3", card(1))), "no");
  EXPECT_EQ(m.deliver(Path::kIn, {"-i", "eth0", "-p", "udp", "-s", "10.0.0.1"}), "yes");
  EXPECT_EQ(m.deliver(Path::kIn,
                      {"-i", "eth0", "-s", "10.0.0.1", "-m", "mac", "!", "--mac-source", card(1)}),
            "no");
}

TEST(MacCodes, WithoutALinkLayerHeaderNeitherPolarityMatches) {
  for (const std::string invert : {"", "! "}) {
    ModelUnderTest m("local",
                     "*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -i lo -s "
                     "127.0.0.1 -m mac " +
                         invert + "--mac-source " + card(0) + " -j DROP\nCOMMIT\n",
                     {});
    EXPECT_EQ(m.deliver(Path::kLoopback, {"-i", "lo", "-s", "127.0.0.1"}), "yes");
    EXPECT_FALSE(m.model().structure().value()->rules[0].matched) << invert;
  }
}

// One rule of a random ruleset, and what it says of a host and a card.
struct RandomRule {
  std::optional<unsigned> host;  // 10.0.0.HOST; 0: all of 10.0.0.0/24
  std::optional<unsigned> mac;
  bool invert_mac = false, accept = false, invert_host = false;
  std::string text() const {
    std::string t = "-A INPUT";
    if (host) t += invert_host ? " ! -s 10.0.0." : " -s 10.0.0.";
    if (host) t += *host == 0 ? "0/24" : std::to_string(*host);
    if (mac) t += std::string(" -m mac") + (invert_mac ? " !" : "") + " --mac-source " + card(*mac);
    return t + (accept ? " -j ACCEPT\n" : " -j DROP\n");
  }
  bool matches(unsigned of_host, unsigned of_mac) const {
    if (host && (*host == 0 || *host == of_host) == invert_host) return false;
    return !mac || (*mac == of_mac) != invert_mac;
  }
};

TEST(MacCodes, RandomRulesetsAgreeWithAPlainReading) {
  constexpr unsigned kSeed = 20, kPairs = 20;
  std::mt19937 random(kSeed);
  const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  unsigned accepted = 0, dropped = 0;
  for (unsigned round = 0; round < 24; ++round) {
    std::vector<RandomRule> list(3 + below(6));
    std::string text;
    for (RandomRule& rule : list) {
      if (below(4) != 0) rule.host = below(4);
      if (below(5) != 0) rule.mac = below(4);
      rule.invert_mac = below(3) == 0;
      rule.invert_host = below(4) == 0;
      rule.accept = below(2) == 0;
      text += rule.text();
    }
    const ModelUnderTest random_rules("random", rules(text), {});
    std::vector<std::vector<std::string>> matches;
    for (unsigned i = 0; i < kPairs; ++i) {
      matches.push_back(asked("10.0.0." + std::to_string(1 + i / 5), card(i % 5)));
    }
    Questions m(random_rules.program(), matches);
    for (unsigned i = 0; i < kPairs; ++i) {
      const unsigned host = 1 + i / 5, mac = i % 5;
      const auto taker = std::ranges::find_if(
          list, [&](const RandomRule& rule) { return rule.matches(host, mac); });
      const bool expected = taker != list.end() && taker->accept;
      ++(expected ? accepted : dropped);
      EXPECT_EQ(m.deliver(Path::kIn, i), expected ? "yes" : "no")
          << "seed " << kSeed << ", host " << host << ", " << card(mac) << "\n"
          << text;
    }
  }
  EXPECT_GT(accepted, 100u);
  EXPECT_GT(dropped, 100u);
}

// Like a campus: every host's packets must carry its card, on the way out and in answers, and each
// host has services of its own.
TEST(MacCodes, FifteenHundredHostsWithTheirCards) {
  constexpr unsigned kHosts = 1500;
  const auto host = [](unsigned i) {
    return "10.0." + std::to_string(1 + i / 250) + "." + std::to_string(1 + i % 250);
  };
  std::string text = ":cards - [0:0]\n:services - [0:0]\n";
  for (unsigned i = 0; i < kHosts; ++i) {
    text += "-A cards -s " + host(i) + " -m mac --mac-source " + card(i + 1) + " -j RETURN\n";
    if (i % 7 == 0) {
      text += "-A cards -s " + host(i) + " -m mac --mac-source " + card(i + 2000) + " -j RETURN\n";
    }
    text += "-A cards -s " + host(i) + " -j DROP\n";
  }
  for (unsigned i = 0; i < kHosts; i += 3) {
    text += "-A services -d " + host(i) + " -p tcp -m tcp --dport " + std::to_string(20 + i % 50) +
            " -j ACCEPT\n";
  }
  text += "-A FORWARD -s 10.0.0.0/16 -i eth1 -j cards\n-A FORWARD -i eth1 -j ACCEPT\n";
  text += "-A FORWARD -o eth1 -j services\n";
  ModelOptions options;
  options.node_limit = 3'000'000;
  const ModelUnderTest campus("campus", rules(text), options);
  const auto to = [&](unsigned i, const char* port) {
    return std::vector<std::string>{"-i", "eth0",  "-o",      "eth1",  "-p",      "tcp",
                                    "-d", host(i), "--sport", "40000", "--dport", port};
  };
  const auto from = [&](unsigned i, unsigned mac) {
    return std::vector<std::string>{"-i", "eth1",  "-o", "eth0", "-p",           "udp",
                                    "-s", host(i), "-m", "mac",  "--mac-source", card(mac)};
  };
  Questions m(
      campus.program(),
      {to(3, "23"), to(3, "24"), from(14, 15), from(14, 2014), from(14, 16), from(15, 2015)},
      options);
  EXPECT_EQ(m.connect(Path::kForward, 0), "yes");
  EXPECT_EQ(m.connect(Path::kForward, 1), "no");
  EXPECT_EQ(m.deliver(Path::kForward, 2), "yes");
  EXPECT_EQ(m.deliver(Path::kForward, 3), "yes");
  EXPECT_EQ(m.deliver(Path::kForward, 4), "no");
  EXPECT_EQ(m.deliver(Path::kForward, 5), "no");
  const auto structure = m.model().structure();
  ASSERT_TRUE(structure.has_value());
  for (RuleId r = 0; r < (*structure)->rules.size(); ++r) {
    EXPECT_TRUE((*structure)->rules[r].matched) << r;
  }
}

}  // namespace
}  // namespace postern
