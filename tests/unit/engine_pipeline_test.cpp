// lib/engine/pipeline as a whole, on small worlds: what only the real kernel's tests would notice
// otherwise (kernel-facts 4, 13, 24, 42, 49).
#include <gtest/gtest.h>

#include "engine/engine.hpp"
#include "engine/traveller.hpp"
#include "net/protocol.hpp"
#include "query_fixture.hpp"

namespace postern {
namespace {

// eth0 192.0.2.1/24 and eth1 10.0.0.1/24; forwards.
class Router {
 public:
  explicit Router(const std::string& text) : rules_("router.rules", text) {
    const auto cidr = [](std::string_view address, unsigned length) {
      return InterfaceAddress{*Address::parse(address), length};
    };
    Scenario world;
    world.interfaces = {{"lo", {cidr("127.0.0.1", 8)}, 65536},
                        {"eth0", {cidr("192.0.2.1", 24)}, 1500},
                        {"eth1", {cidr("10.0.0.1", 24)}, 1500}};
    world.forwarding = true;
    engine_.emplace(world, &rules_.program(), nullptr, chooser_);
  }
  PacketReport send(const Packet& packet) {
    PacketReport report = engine_->inject(packet);
    engine_->observe(report);
    return report;
  }
  Engine& engine() { return *engine_; }

 private:
  LoadedRuleset rules_;
  ListChooser chooser_;
  std::optional<Engine> engine_;
};

Packet udp(const char* in, const char* from, std::uint16_t sport, const char* to,
           std::uint16_t dport) {
  Packet p;
  p.in = in;
  p.source = *Address::parse(from);
  p.destination = *Address::parse(to);
  p.protocol = protocol::kUdp;
  p.source_port = sport;
  p.destination_port = dport;
  p.payload = {1, 2, 3, 4};
  return p;
}

const std::string kTracked = "*filter\n-A INPUT -m conntrack --ctstate INVALID\nCOMMIT\n";

// ip_error: five at once, then one a second (net.ipv4.route.error_burst, error_cost).
TEST(EnginePipeline, ErrorsToOneSourceAreRationed) {
  Router router(kTracked);
  const auto errors = [&] {
    return router.send(udp("eth0", "192.0.2.9", 1, "203.0.113.1", 2)).replies.size();
  };
  for (int i = 0; i < 5; ++i) EXPECT_EQ(errors(), 1U) << i;
  EXPECT_EQ(errors(), 0U);
  router.engine().wait(999);
  EXPECT_EQ(errors(), 0U);
  router.engine().wait(1);
  EXPECT_EQ(errors(), 1U);
  EXPECT_EQ(errors(), 0U);
}

TEST(EnginePipeline, OverLoThePacketIsConfirmedWhenItComesBack) {
  Router router("*raw\n-A PREROUTING -i lo -m conntrack --ctstatus CONFIRMED\nCOMMIT\n" + kTracked);
  const auto report = router.send(udp("", "127.0.0.1", 1, "127.0.0.1", 2));
  ASSERT_EQ(report.rules.size(), 1U);
  EXPECT_EQ(report.rules.front().chain, "PREROUTING");
}

TEST(EnginePipeline, ZoneOfTheOriginalDirectionAloneLeavesAnswersToFindTheFlow) {
  Router router("*raw\n-A PREROUTING -i eth0 -j CT --zone-orig 5\nCOMMIT\n" + kTracked);
  router.send(udp("eth0", "192.0.2.9", 1, "10.0.0.2", 2));
  const auto answer = router.send(udp("eth1", "10.0.0.2", 2, "192.0.2.9", 1));
  EXPECT_EQ(answer.state.at(Hook::kForward), CtState::kEstablished);
  EXPECT_EQ(answer.conntrack.size(), 1U);
}

// 10.0.0.2 complains of a packet that it was sent.
Packet complaint_about(const Packet& packet, std::uint8_t type) {
  Packet error;
  error.in = "eth1";
  error.source = *Address::parse("10.0.0.2");
  error.destination = packet.source;
  error.protocol = protocol::kIcmp;
  error.type = type;
  error.code = 3;
  Packet quoted = packet;
  quoted.destination = error.source;
  error.inner = std::make_shared<const Packet>(quoted);
  return error;
}

TEST(EnginePipeline, AnErrorLeavesAsIfFromTheAddressAsked) {
  Router router("*nat\n-A PREROUTING -i eth0 -j DNAT --to-destination 10.0.0.2\nCOMMIT\n");
  const Packet first = udp("eth0", "192.0.2.9", 1, "198.51.100.9", 2);
  EXPECT_EQ(router.send(first).out.at(0).first.destination.text(), "10.0.0.2");
  const auto report = router.send(complaint_about(first, 3));
  EXPECT_EQ(report.state.at(Hook::kForward), CtState::kRelated);
  ASSERT_EQ(report.out.size(), 1U);
  EXPECT_EQ(report.out[0].first.source.text(), "198.51.100.9");
  EXPECT_EQ(report.out[0].first.inner->destination.text(), "198.51.100.9");
}

// nf_nat_icmp_reply_translation: no redirect about a flow that is translated, no broken error.
TEST(EnginePipeline, SomeErrorsAreNotTranslated) {
  Router router("*nat\n-A PREROUTING -p udp --dport 2 -j DNAT --to-destination 10.0.0.2\nCOMMIT\n");
  router.engine().set_sysctl({{"net/netfilter/nf_conntrack_checksum", "0"}});
  const Packet translated = udp("eth0", "192.0.2.9", 1, "198.51.100.9", 2);
  const Packet plain = udp("eth0", "192.0.2.9", 1, "10.0.0.2", 3);
  for (const Packet& first : {translated, plain}) EXPECT_EQ(router.send(first).out.size(), 1U);
  EXPECT_EQ(router.send(complaint_about(translated, 5)).verdict, Verdict::kDropped);
  EXPECT_EQ(router.send(complaint_about(plain, 5)).verdict, Verdict::kForwarded);
  Packet broken = complaint_about(translated, 3);
  EXPECT_EQ(router.send(broken).verdict, Verdict::kForwarded);
  broken.bad_checksum = true;
  EXPECT_EQ(router.send(broken).verdict, Verdict::kDropped);
}

// nf_conntrack_icmpv6 (ipv6_skip_exthdr): the protocol that an error's flow has stands behind the
// extension headers of what it quotes.
TEST(EnginePipeline, WhatAnErrorQuotesIsReadBehindExtensionHeaders) {
  LoadedRuleset rules("six.rules", "*filter\n-A FORWARD -m conntrack --ctstate INVALID\nCOMMIT\n",
                      Family::kIpv6);
  Scenario world;
  world.interfaces = {{"lo", {}, 65536},
                      {"eth0", {{*Address::parse("2001:db8:1::1"), 64}}, 1500},
                      {"eth1", {{*Address::parse("2001:db8:2::1"), 64}}, 1500}};
  world.forwarding = true;
  ListChooser chooser;
  Engine engine(world, nullptr, &rules.program(), chooser);
  Packet first;
  first.in = "eth0";
  first.source = *Address::parse("2001:db8:1::9");
  first.destination = *Address::parse("2001:db8:2::9");
  first.protocol = 253;
  first.raw_l4 = Bytes{0x33};
  engine.inject(first);
  Packet quoted = first;
  quoted.protocol = 60;
  quoted.raw_l4 = Bytes{253, 0, 1, 4, 0, 0, 0, 0, 0x33};
  Packet error;
  error.in = "eth1";
  error.source = first.destination;
  error.destination = first.source;
  error.protocol = protocol::kIcmpv6;
  error.type = 1;
  error.inner = std::make_shared<const Packet>(quoted);
  EXPECT_EQ(engine.inject(error).state.at(Hook::kForward), CtState::kRelated);
}

TEST(EnginePipeline, DnatToAPortChangesIt) {
  for (const char* to : {"10.0.0.2:8080", "10.0.0.2:8080-8081"}) {
    Router router(std::string("*nat\n-A PREROUTING -p udp -j DNAT --to-destination ") + to +
                  "\nCOMMIT\n");
    const auto out = router.send(udp("eth0", "192.0.2.9", 1, "198.51.100.9", 2)).out;
    ASSERT_EQ(out.size(), 1U);
    EXPECT_EQ(out[0].first.destination.text(), "10.0.0.2");
    EXPECT_EQ(out[0].first.destination_port, 8080);
  }
}

// What this host sends is routed again to where NAT in OUTPUT leads it.
TEST(EnginePipeline, DnatInOutputLeadsToAnotherDevice) {
  Router router("*nat\n-A OUTPUT -p udp --dport 2 -j DNAT --to-destination 10.0.0.2\nCOMMIT\n");
  Packet p = udp("", "192.0.2.1", 1, "192.0.2.9", 2);
  const auto moved = router.send(p).out;
  ASSERT_EQ(moved.size(), 1U);
  EXPECT_EQ(moved[0].second, "eth1");
  p.destination_port = 3;
  EXPECT_EQ(router.send(p).out.at(0).second, "eth0");
}

// A masqueraded flow that leaves by another device is over (nf_nat_oif_changed).
TEST(EnginePipeline, AMasqueradedFlowDoesNotChangeItsDevice) {
  Router router("*nat\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n");
  Packet p = udp("", "192.0.2.1", 1, "203.0.113.9", 2);
  p.out_interface = "eth0";
  EXPECT_EQ(router.send(p).verdict, Verdict::kSent);
  const auto again = router.send(p);
  EXPECT_EQ(again.verdict, Verdict::kSent);
  EXPECT_EQ(again.conntrack.size(), 1U);
  p.out_interface = "eth1";
  const auto other = router.send(p);
  EXPECT_EQ(other.verdict, Verdict::kDropped);
  EXPECT_TRUE(other.conntrack.empty());
}

// Of a header that is not whole, the bytes that stand in its place are read, as many as there are.
TEST(EnginePipeline, BytesInPlaceOfAHeaderAreReadOneByOne) {
  const Bytes bytes{8, 3, 0, 80, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  for (const std::size_t size : {std::size_t{1}, std::size_t{2}, std::size_t{4}, std::size_t{13},
                                 std::size_t{14}, std::size_t{16}}) {
    Packet p = udp("eth0", "192.0.2.9", 0, "192.0.2.1", 0);
    p.protocol = protocol::kTcp;
    p.fragment_offset = 8;
    p.raw_l4 = Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    Traveller traveller;
    traveller.view = view_of(p);
    read_headers(traveller);
    read_layer4_bytes(traveller);
    const Reading& reading = traveller.reading;
    EXPECT_EQ(reading[Field::kIcmpType], 8U) << size;
    EXPECT_EQ(reading[Field::kIcmpCode], size >= 2 ? 3U : 0U) << size;
    EXPECT_EQ(reading[Field::kSourcePort], size >= 2 ? 0x0803U : 0U) << size;
    EXPECT_EQ(reading[Field::kDestinationPort], size >= 4 ? 80U : 0U) << size;
    EXPECT_EQ(reading[Field::kTcpFlags], size >= 14 ? 14U : 0U) << size;
    const HeaderPart part = size >= 14  ? HeaderPart::kFlags
                            : size >= 4 ? HeaderPart::kPorts
                            : size >= 2 ? HeaderPart::kSourcePort
                                        : HeaderPart::kNoPort;
    EXPECT_EQ(reading[Field::kTruncated], static_cast<unsigned>(part)) << size;
  }
}

}  // namespace
}  // namespace postern
