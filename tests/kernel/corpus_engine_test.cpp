// First contact: engine and Linux agree on the eight rulesets after every single packet (verdicts,
// states, counters, entries), over IPv4 and, with the addresses exchanged, over IPv6, with both
// backends.
#include "analyzer/replay.hpp"
#include "corpus_script.hpp"

namespace postern::kernel {
namespace {

using Json = nlohmann::json;

Address v6(const Address& address) {
  if (address.family == Family::kIpv6) return address;
  if (address.text() == "127.0.0.1") return *Address::parse("::1");
  return *Address::parse("2001:db8::" +
                         std::to_string(static_cast<unsigned>(address.value & 0xff)));
}

// The same script over IPv6: the rulesets name no address, so their text stays as it is.
Scenario over_ipv6(Scenario scenario) {
  scenario.ruleset6 = std::move(scenario.ruleset);
  scenario.ruleset.reset();
  for (Interface& interface : scenario.interfaces) {
    if (interface.name == "lo") continue;
    for (InterfaceAddress& address : interface.addresses) address = {v6(address.address), 64};
  }
  for (Step& step : scenario.steps) {
    auto* packet = std::get_if<Packet>(&step);
    if (packet == nullptr) continue;
    packet->source = v6(packet->source);
    packet->destination = v6(packet->destination);
  }
  return scenario;
}

class FirstContact : public CorpusTest {
 protected:
  static void expect_agreement(Scenario scenario, const char* what) {
    scenario.observe = Observe::kEach;
    const auto replayed = replay(scenario);
    ASSERT_TRUE(replayed) << what << ": " << replayed.error().message;
    EXPECT_EQ(replayed->unmodelled, "") << what;
    const Json document = on_kernel(scenario);
    ASSERT_EQ(document["packets"].size(), scenario.steps.size());
    expect_same(document, to_json(replayed->report), std::string(what) + ", Linux and the engine");
  }
};

TEST_P(FirstContact, AgreesOverIpv4) {
  for (const Scenario& scenario : corpus_script(GetParam())) expect_agreement(scenario, "IPv4");
}

TEST_P(FirstContact, AgreesOverIpv6) {
  for (const Scenario& scenario : corpus_script(GetParam())) {
    expect_agreement(over_ipv6(scenario), "IPv6");
  }
}

TEST_P(FirstContact, AgreesWithNft) {
  for (Scenario scenario : corpus_script(GetParam())) {
    scenario.backend = Backend::kNft;
    expect_agreement(scenario, "nft, IPv4");
    expect_agreement(over_ipv6(scenario), "nft, IPv6");
  }
}

INSTANTIATE_TEST_SUITE_P(Corpus, FirstContact, CorpusTest::rulesets(), CorpusTest::test_name);

}  // namespace
}  // namespace postern::kernel
