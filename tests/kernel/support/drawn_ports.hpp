// Ports that NAT draws by chance cannot be foretold: the engine's Chooser takes those that Linux
// drew, from the entries that are new after a packet. Covered by campaign_test.cpp.
#pragma once

#include <algorithm>
#include <vector>

#include "engine/chooser.hpp"
#include "scenario/result.hpp"

namespace postern::kernel {

class DrawnPorts : public Chooser {
 public:
  explicit DrawnPorts(const std::vector<PacketReport>& linux) : linux_(linux) {}
  void go_to(std::size_t step) { step_ = step; }

  // Something else than a port was asked: the ruleset's text leaves it open.
  bool undecided() const { return undecided_; }
  // The first step whose port nobody knows: its entry died with the packet (or Linux found no
  // port).
  std::size_t guessed_at() const { return guessed_at_; }

  std::uint64_t choose(const Choice& question) override {
    if (!question.why.ends_with(" port")) {
      undecided_ = true;
      return 0;
    }
    // Both halves of a tuple have the same ICMP id: what was drawn first is not to be seen.
    const bool again = asked_at_ == step_;
    asked_at_ = step_;
    for (const EntryReport* entry : fresh()) {
      if (again && entry->reply.icmp_id) break;
      const auto port = entry->reply.icmp_id            ? entry->reply.icmp_id
                        : question.why == "source port" ? entry->reply.destination_port
                                                        : entry->reply.source_port;
      if (port && *port >= question.first && *port < question.first + question.options) {
        return *port - question.first;
      }
    }
    guessed_at_ = std::min(guessed_at_, step_);
    return 0;
  }

 private:
  static bool same_flow(const EntryReport& a, const EntryReport& b) {
    return a.protocol == b.protocol && a.original == b.original && a.reply == b.reply &&
           a.zone == b.zone;
  }
  std::vector<const EntryReport*> fresh() const {
    std::vector<const EntryReport*> made;
    if (step_ >= linux_.size()) return made;
    std::size_t before = step_;
    while (before > 0 && !linux_[before - 1].step.empty()) --before;
    for (const EntryReport& entry : linux_[step_].conntrack) {
      const bool old =
          before > 0 &&
          std::any_of(linux_[before - 1].conntrack.begin(), linux_[before - 1].conntrack.end(),
                      [&](const auto& it) { return same_flow(it, entry); });
      if (!old) made.push_back(&entry);
    }
    return made;
  }

  const std::vector<PacketReport>& linux_;
  std::size_t step_ = 0, asked_at_ = ~std::size_t{0}, guessed_at_ = ~std::size_t{0};
  bool undecided_ = false;
};

}  // namespace postern::kernel
