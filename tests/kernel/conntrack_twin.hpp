// A router on the real kernel and the engine's conntrack table side by side: each packet goes
// through both, and whatever differs in state, direction or table is a test failure with the whole
// story.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/conntrack.hpp"
#include "kernel/world.hpp"
#include "kernel_fixture.hpp"

namespace postern::kernel {

inline const char* const kClient4 = "192.0.2.9";
inline const char* const kServer4 = "198.51.100.9";
inline const char* const kClient6 = "2001:db8:1::9";
inline const char* const kServer6 = "2001:db8:2::9";

// eth0 leads to the client, eth1 to the server; nothing is filtered, everything is tracked.
inline Scenario router() {
  Scenario scenario;
  scenario.interfaces = {
      {"eth0", {{*Address::parse("192.0.2.1"), 24}, {*Address::parse("2001:db8:1::1"), 64}}, 1500},
      {"eth1",
       {{*Address::parse("198.51.100.1"), 24}, {*Address::parse("2001:db8:2::1"), 64}},
       1500}};
  scenario.forwarding = true;
  scenario.tracking = TrackingMode::kOn;
  return scenario;
}

class Twin {
 public:
  static std::unique_ptr<Twin> create() {
    auto world = World::create(router());
    if (!world) {
      ADD_FAILURE() << world.error();
      return nullptr;
    }
    return std::make_unique<Twin>(std::move(*world));
  }
  explicit Twin(std::unique_ptr<World> world) : world_(std::move(world)) {}

  // A new conversation: empty tables, these sysctls (without their "net/netfilter/nf_conntrack_").
  void restart(const std::map<std::string, std::string>& sysctls) {
    const auto config = table_.config();
    table_ = ConntrackTable(config);
    SysctlStep step;
    for (const auto& [name, value] : sysctls) {
      step.values["net/netfilter/nf_conntrack_" + name] = value;
      EXPECT_TRUE(table_.set_sysctl("net/netfilter/nf_conntrack_" + name, value)) << name;
    }
    ASSERT_TRUE(world_->run(step, false));
    ASSERT_TRUE(world_->run(FlushStep{}, false));
    story_ = nlohmann::json(sysctls).dump() + "\n";
  }

  // Real time; the engine's clock goes along.
  void wait(std::uint32_t milliseconds) {
    ASSERT_TRUE(world_->run(WaitStep{milliseconds}, false));
    table_.advance(milliseconds);
  }

  // Sends it through both; false when they differ.
  bool send(const Packet& packet) {
    story_ += to_json(packet).dump() + "\n";
    const auto seen = world_->run(packet);
    if (!seen) {
      ADD_FAILURE() << seen.error() << "\n" << story_;
      return false;
    }
    Attachment attachment;
    table_.track(view_of(packet), Hook::kPrerouting, attachment);
    const auto forwarded = seen->state.find(Hook::kForward);
    if (forwarded == seen->state.end()) {
      ADD_FAILURE() << "the kernel did not forward it: " << seen->died_at << "\n" << story_;
      return false;
    }
    table_.confirm(attachment);
    const bool same_state = forwarded->second == attachment.state;
    const auto direction = seen->reply_direction.find(Hook::kForward);
    const bool reply = direction != seen->reply_direction.end() && direction->second;
    const bool same_direction = reply == (attachment.direction == CtDirection::kReply);
    const auto theirs = their_lines(seen->conntrack), ours = our_lines();
    if (same_state && same_direction && theirs == ours) return true;
    ADD_FAILURE() << story_ << "kernel " << to_text(forwarded->second) << (reply ? " reply" : "")
                  << testing::PrintToString(theirs) << "\nengine " << to_text(attachment.state)
                  << (attachment.direction == CtDirection::kReply ? " reply" : "")
                  << testing::PrintToString(ours);
    return false;
  }

  const ConntrackTable& table() const { return table_; }

 private:
  static std::string to_text(CtState state) {
    return std::string(std::vector<std::string>{"INVALID", "NEW", "ESTABLISHED", "RELATED",
                                                "UNTRACKED"}[static_cast<std::size_t>(state)]);
  }

  // The kernel's flags of one side (uapi nf_conntrack_tcp.h), as far as the tracker keeps them.
  static std::uint8_t flags_of(const TcpSide& side) {
    return static_cast<std::uint8_t>(
        (side.window_scale ? 0x01 : 0) | (side.sack_permitted ? 0x02 : 0) |
        (side.close_init ? 0x04 : 0) | (side.be_liberal ? 0x08 : 0) |
        (side.data_unacknowledged ? 0x10 : 0) | (side.max_ack_set ? 0x20 : 0));
  }
  static constexpr std::uint8_t kComparedFlags = 0x3f;

  static std::string line(const EntryReport& entry, std::pair<int, int> flags) {
    const auto side = [](const TupleReport& tuple) {
      return tuple.source.text() + ">" + tuple.destination.text() + " " +
             std::to_string(tuple.source_port.value_or(tuple.icmp_id.value_or(0))) + ">" +
             std::to_string(tuple.destination_port.value_or(static_cast<std::uint16_t>(
                 tuple.icmp_type.value_or(0) * 256 + tuple.icmp_code.value_or(0))));
    };
    constexpr unsigned kCompared =
        ct_status::kExpected | ct_status::kSeenReply | ct_status::kAssured | ct_status::kConfirmed;
    return std::to_string(entry.protocol) + " " + entry.state + " " + side(entry.original) + " / " +
           side(entry.reply) + " status " + std::to_string(entry.status & kCompared) + " flags " +
           std::to_string(flags.first) + "," + std::to_string(flags.second);
  }
  static std::vector<std::string> their_lines(const std::vector<EntryReport>& entries) {
    std::vector<std::string> all;
    for (const auto& entry : entries) {
      const auto flags = entry.tcp_flags.value_or(std::pair<std::uint8_t, std::uint8_t>{});
      all.push_back(line(entry, {flags.first & kComparedFlags, flags.second & kComparedFlags}));
    }
    std::sort(all.begin(), all.end());
    return all;
  }
  std::vector<std::string> our_lines() const {
    std::vector<std::string> all;
    for (const auto& entry : table_.entries()) {
      const auto& side = entry->tcp.side;
      const bool tcp = entry->original.protocol == protocol::kTcp;
      all.push_back(
          line(entry->report(), tcp ? std::pair<int, int>{flags_of(side[0]), flags_of(side[1])}
                                    : std::pair<int, int>{}));
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  std::unique_ptr<World> world_;
  ConntrackTable table_;
  std::string story_;
};

}  // namespace postern::kernel
