// Helpers in the engine and on Linux: what ftp, tftp and irc read, expect and drop, what becomes of
// the expected flow, and how NAT rewrites the payload (kernel-facts 56-58).
#include <algorithm>
#include <string_view>
#include <vector>

#include "helper_random.hpp"
#include "kernel/world.hpp"
#include "scenario/serialise.hpp"
#include "twin_case.hpp"

namespace postern::kernel {
namespace {

const Case kCases[] = {
#include "helper_ftp_cases.inc"
#include "helper_nat_cases.inc"
#include "helper_udp_irc_cases.inc"
#include "helper_zone_cases.inc"
};

class HelperCase : public TwinCase {};

TEST_P(HelperCase, IsWhatLinuxDoes) { expect_agreement(); }

INSTANTIATE_TEST_SUITE_P(Linux, HelperCase, testing::ValuesIn(kCases), case_name);

// Rows whose bytes differ from run to run: chance chooses a port.
std::vector<Case> without_chance() {
  constexpr std::string_view kByChance[] = {"TftpSnat", "FtpPortSnatBusyPort"};
  std::vector<Case> cases(std::begin(kCases), std::end(kCases));
  std::erase_if(cases, [&](const Case& one) {
    return std::ranges::find(kByChance, one.name) != std::end(kByChance);
  });
  return cases;
}

class HelperBytes : public TwinCase {};

// The documents tell payloads by their lengths: here every byte that leaves is compared.
TEST_P(HelperBytes, RewritesWhatLinuxRewrites) {
  const Scenario scenario = scenario_of(GetParam(), "legacy");
  const auto world = World::create(scenario);
  ASSERT_TRUE(world) << world.error();
  const Programs programs(scenario);
  ListChooser chooser;
  Engine engine(scenario, programs.of(Family::kIpv4), programs.of(Family::kIpv6), chooser);
  for (const Step& step : scenario.steps) {
    const auto theirs = (*world)->run(step, false);
    ASSERT_TRUE(theirs) << theirs.error();
    const PacketReport ours = take_step(step, engine);
    ASSERT_TRUE(chooser.made().empty()) << "a port by chance: such a row belongs to kByChance";
    ASSERT_EQ(ours.out.size(), theirs->out.size());
    for (std::size_t i = 0; i < ours.out.size(); ++i) {
      Packet sent = ours.out[i].first, seen = theirs->out[i].first;
      sent.ip_id = seen.ip_id = 0;
      EXPECT_EQ(to_hex(to_bytes(sent)), to_hex(to_bytes(seen)));
      EXPECT_EQ(sent.bad_checksum, seen.bad_checksum);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Linux, HelperBytes, testing::ValuesIn(without_chance()), case_name);

struct Reached {
  int packets = 0, expected = 0, children = 0, translated_children = 0, shifted = 0, zoned = 0;
  int dropped = 0, marked = 0;

  void count(const Json& packet) {
    ++packets;
    dropped += packet["verdict"] == "dropped";
    expected += packet.contains("expect") && !packet["expect"].empty();
    if (!packet.contains("conntrack")) return;
    for (const Json& entry : packet["conntrack"]) {
      const auto& bits = entry["status"];
      const auto has = [&](const char* bit) {
        return std::find(bits.begin(), bits.end(), bit) != bits.end();
      };
      children += has("EXPECTED");
      translated_children += has("EXPECTED") && (has("SRC_NAT") || has("DST_NAT"));
      marked += has("EXPECTED") && entry["mark"] == 5;
      shifted += has("SEQ_ADJUST");
      zoned += entry.contains("zone");
    }
  }
};

class HelperRandom : public RandomTwins {};

TEST_F(HelperRandom, AgreesOnConversationsThatExpect) {
  Reached reached;
  expect_agreement(50, random_helper_scenario, [&](const NatTwin& twin) {
    for (const Json& packet : twin.linux_says["packets"]) reached.count(packet);
  });
  // Each of these is a sum over all packets of what the table held then.
  EXPECT_GT(reached.expected, reached.packets / 20);
  EXPECT_GT(reached.children, reached.packets / 10);
  EXPECT_GT(reached.translated_children, reached.packets / 50);
  EXPECT_GT(reached.marked, reached.packets / 100);
  EXPECT_GT(reached.shifted, reached.packets / 50);
  EXPECT_GT(reached.zoned, reached.packets / 10);
  EXPECT_GT(reached.dropped, reached.packets / 50);
  std::printf(
      "%d packets: %d dropped, %d with expectations; entries: %d children (%d translated, "
      "%d marked), %d with shifted numbers, %d in a zone\n",
      reached.packets, reached.dropped, reached.expected, reached.children,
      reached.translated_children, reached.marked, reached.shifted, reached.zoned);
}

}  // namespace
}  // namespace postern::kernel
