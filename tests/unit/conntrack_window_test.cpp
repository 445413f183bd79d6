// The window tracker at its edges (kernel-facts 35): what is in the window, what is let through
// without being believed, what is INVALID; TCP options; resets.
#include "engine/conntrack_window.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "conntrack_packets.hpp"

namespace postern {
namespace {

using namespace test;
using Bytes = std::vector<std::uint8_t>;

// An established connection in which both ends advertise `window` bytes without scaling.
struct Established : Conversation {
  explicit Established(std::uint16_t window = 1000, ConntrackConfig config = {})
      : Conversation(config) {
    client.window = server.window = window;
    handshake();
  }
  CtState probe(std::uint8_t flags, std::uint32_t seq, std::uint32_t ack, std::uint32_t data = 0) {
    return pass(table, tcp_packet(client, server, flags, seq, ack, data)).state;
  }
};

TEST(ConntrackWindow, ReachesOneWindowAheadAndAnotherUnbelieved) {
  constexpr std::uint32_t kWindow = 1000;
  struct Case {
    std::uint32_t offset;
    CtState state;
    TcpState after;
  };
  for (const auto& each : {Case{0, CtState::kEstablished, TcpState::kFinWait},
                           Case{kWindow, CtState::kEstablished, TcpState::kFinWait},
                           Case{kWindow + 1, CtState::kEstablished, TcpState::kEstablished},
                           Case{2 * kWindow - 2, CtState::kEstablished, TcpState::kEstablished},
                           Case{2 * kWindow - 1, CtState::kInvalid, TcpState::kEstablished},
                           Case{1u << 30, CtState::kInvalid, TcpState::kEstablished}}) {
    Established c(kWindow);
    EXPECT_EQ(c.probe(kFin | kAck, c.client.next + each.offset, c.server.next), each.state)
        << each.offset;
    EXPECT_EQ(c.state(), each.after) << each.offset;
  }
}

TEST(ConntrackWindow, OldSegmentsAreHarmless) {
  for (const std::uint32_t back : {1u, 500u, 5000u, 1u << 29}) {
    Established c;
    EXPECT_EQ(c.probe(kAck, c.client.next - back, c.server.next), CtState::kEstablished) << back;
    EXPECT_EQ(c.probe(kAck, c.client.next, c.server.next - back), CtState::kEstablished) << back;
  }
}

TEST(ConntrackWindow, AcknowledgingTheUnsentIsInvalid) {
  Established c;
  EXPECT_EQ(c.probe(kAck, c.client.next, c.server.next + 1), CtState::kInvalid);
  EXPECT_EQ(c.probe(kAck, c.client.next, c.server.next), CtState::kEstablished);
}

TEST(ConntrackWindow, LiberalBelievesAllButResetsFromThePast) {
  ConntrackConfig config;
  config.tcp_be_liberal = true;
  Established c(1000, config);
  EXPECT_EQ(c.probe(kAck, c.client.next + (1u << 30), c.server.next + 9), CtState::kEstablished);
  EXPECT_EQ(c.probe(kRst, c.client.next - 1, 0), CtState::kInvalid);
  EXPECT_EQ(c.state(), TcpState::kEstablished);
}

TEST(ConntrackWindow, ResetMustBeExactToClose) {
  const auto after = [](std::uint32_t offset, CtState expected, ConntrackConfig config = {}) {
    Established c(1000, config);
    EXPECT_EQ(c.probe(kRst, c.client.next + offset, 0), expected) << offset;
    return c.state();
  };
  EXPECT_EQ(after(0, CtState::kEstablished), TcpState::kClose);
  EXPECT_EQ(after(1, CtState::kEstablished), TcpState::kEstablished);
  EXPECT_EQ(after(static_cast<std::uint32_t>(-1), CtState::kInvalid), TcpState::kEstablished);
  EXPECT_EQ(after(1u << 30, CtState::kInvalid), TcpState::kEstablished);
  ConntrackConfig ignoring;
  ignoring.tcp_ignore_invalid_rst = true;
  EXPECT_EQ(after(static_cast<std::uint32_t>(-1), CtState::kEstablished, ignoring),
            TcpState::kEstablished);
}

TEST(ConntrackWindow, ResetAfterOwnDataCloses) {
  Established c;
  c.from_client(kAck, 100);  // not acknowledged yet
  EXPECT_EQ(c.probe(kRst, c.client.next, 0), CtState::kEstablished);
  EXPECT_EQ(c.state(), TcpState::kClose);
}

TEST(ConntrackWindow, ScalingNeedsBothSides) {
  const Bytes scale{3, 3, 7, 0};
  for (const bool both : {false, true}) {
    Conversation c;
    c.client.window = c.server.window = 1000;
    auto syn = tcp_packet(c.client, c.server, kSyn, c.client.isn, 0);
    syn.tcp_options = scale;
    pass(c.table, syn);
    auto answer = tcp_packet(c.server, c.client, kSyn | kAck, c.server.isn, c.client.isn + 1);
    if (both) answer.tcp_options = scale;
    pass(c.table, answer);
    c.client.next = c.client.isn + 1;
    c.server.next = c.server.isn + 1;
    c.from_client(kAck), c.from_server(kAck);
    const auto far = tcp_packet(c.client, c.server, kAck, c.client.next + 100000, c.server.next);
    EXPECT_EQ(pass(c.table, far).state, both ? CtState::kEstablished : CtState::kInvalid);
  }
}

TEST(ConntrackWindow, OptionsAreReadUntilTheyMakeNoSense) {
  EXPECT_FALSE(syn_options({}).any);
  const Bytes all{2, 4, 5, 180, 4, 2, 1, 3, 3, 9, 0, 0};
  EXPECT_TRUE(syn_options(all).sack_permitted);
  EXPECT_EQ(syn_options(all).scale, 9);
  const Bytes large{3, 3, 15, 0};
  EXPECT_EQ(syn_options(large).scale, 14);
  for (const Bytes& broken :
       {Bytes{9, 1, 4, 2}, Bytes{9, 0, 4, 2}, Bytes{0, 4, 2, 0}, Bytes{9, 20, 4, 2}, Bytes{9}}) {
    EXPECT_TRUE(syn_options(broken).any);
    EXPECT_FALSE(syn_options(broken).sack_permitted);
  }
}

TEST(ConntrackWindow, SackCountsAsAcknowledgement) {
  const Bytes two{1, 1, 5, 18, 0, 0, 0, 10, 0, 0, 0, 20, 0, 0, 0, 30, 0, 0, 0, 40};
  EXPECT_EQ(highest_sack(two, 5), 40u);
  EXPECT_EQ(highest_sack(two, 50), 50u);
  EXPECT_EQ(highest_sack(two, 0xfffffff0), 40u);  // numbers wrap around
  const Bytes odd{5, 9, 0, 0, 0, 10, 0, 0, 0};
  EXPECT_EQ(highest_sack(odd, 5), 5u);
}

TEST(ConntrackWindow, SequenceNumbersWrapAround) {
  EXPECT_TRUE(seq_before(0xffffffff, 0));
  EXPECT_TRUE(seq_after(5, 0xfffffff0));
  EXPECT_FALSE(seq_before(7, 7));
  Conversation c;
  c.client.isn = c.client.next = 0xffffffff;
  c.handshake();
  EXPECT_EQ(c.from_client(kAck, 100).state, CtState::kEstablished);
  EXPECT_EQ(c.from_server(kAck).state, CtState::kEstablished);
  EXPECT_EQ(c.state(), TcpState::kEstablished);
}

// A SYN that is ignored in a running connection, then answered: a new connection in the old entry.
TEST(ConntrackWindow, AnsweredSynRestartsTheEntry) {
  Established c;
  c.client.isn = c.client.next = 900000;
  EXPECT_EQ(c.from_client(kSyn).state, CtState::kEstablished);
  EXPECT_EQ(c.state(), TcpState::kEstablished);
  c.server.isn = c.server.next = 700000;
  EXPECT_EQ(c.from_server(kSyn | kAck).state, CtState::kEstablished);
  EXPECT_EQ(c.state(), TcpState::kSynRecv);
  EXPECT_EQ(c.from_client(kAck).state, CtState::kEstablished);
  EXPECT_EQ(c.state(), TcpState::kEstablished);
  EXPECT_EQ(c.from_client(kAck, 10).state, CtState::kEstablished);
  EXPECT_EQ(c.table.size(), 1u);
}

// The ignored SYN, answered, counts with the window scale that was noted of it.
TEST(ConntrackWindow, AnsweredSynKeepsItsScale) {
  const Bytes scale{3, 3, 7, 0};
  for (const bool scaled : {false, true}) {
    Established c;
    c.client.isn = c.client.next + 5000000;
    c.server.isn = c.server.next + 5000000;
    auto syn = tcp_packet(c.client, c.server, kSyn, c.client.isn, 0);
    if (scaled) syn.tcp_options = scale;
    pass(c.table, syn);
    auto answer = tcp_packet(c.server, c.client, kSyn | kAck, c.server.isn, c.client.isn + 1);
    answer.tcp_options = scale;
    pass(c.table, answer);
    c.client.next = c.client.isn + 1;
    c.server.next = c.server.isn + 1;
    c.from_client(kAck), c.from_server(kAck);
    EXPECT_EQ(c.probe(kAck, c.client.next + 100000, c.server.next),
              scaled ? CtState::kEstablished : CtState::kInvalid);
  }
}

// In LAST_ACK the answer to a stray SYN does not end the connection; the next ACK does.
TEST(ConntrackWindow, ChallengeAckIsNotTheLastAck) {
  Established c;
  c.from_client(kFin | kAck), c.from_server(kAck), c.from_server(kFin | kAck);
  ASSERT_EQ(c.state(), TcpState::kLastAck);
  EXPECT_EQ(c.probe(kSyn, 99, 0), CtState::kEstablished);
  EXPECT_EQ(c.from_server(kAck).state, CtState::kEstablished);
  EXPECT_EQ(c.state(), TcpState::kLastAck);
  EXPECT_EQ(c.from_server(kAck).state, CtState::kEstablished);
  EXPECT_EQ(c.state(), TcpState::kTimeWait);
}

}  // namespace
}  // namespace postern
