// One packet's whole way: hooks in order, routing between them, loopback's second half, and the
// answers that the host generates, each with a way of its own. This file knows the order of things;
// what a rule, a route, an entry or an answer is, others know.
// Invariant: at most one packet is under way at a time; an answer to an answer ends (depth is
// bounded, as no error answers an error).
// Covered by tests/unit/engine_pipeline_test.cpp and tests/kernel/.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>

#include "engine/engine.hpp"
#include "engine/fragments.hpp"
#include "engine/helper.hpp"
#include "engine/nat_bind.hpp"
#include "engine/traveller.hpp"
#include "engine/walk.hpp"
#include "engine/world.hpp"

namespace postern {

class Pipeline {
 public:
  Pipeline(const Scenario& scenario, const Program* v4, const Program* v6, Chooser& chooser);

  // `report` may be null. The packet must be readable().
  Verdict inject(const Packet& packet, PacketReport* report);

  void wait(std::uint32_t milliseconds);
  void set_sysctl(const std::string& key, const std::string& value);
  ConntrackTable& conntrack() { return conntrack_; }
  const ConntrackTable& conntrack() const { return conntrack_; }
  bool tracks(Family family) const { return tracks_[index(family)]; }
  Walker* walker(Family family) { return walkers_[index(family)].get(); }
  const Walker* walker(Family family) const { return walkers_[index(family)].get(); }
  void set_trace(Trace* trace) { trace_ = trace; }
  void set_points(bool on) { points_ = on; }

 private:
  static std::size_t index(Family family) { return family == Family::kIpv4 ? 0 : 1; }

  Traveller start(const Packet& packet) const;
  // Each returns what became of the packet, and notes where it died in died_at_.
  Verdict arrive(Traveller& packet);
  Verdict arrive_at(Traveller& packet);
  Verdict send(Traveller& packet);
  Verdict deliver(Traveller& packet);
  Verdict forward(Traveller& packet, const InputRoute& route);
  Verdict leave(Traveller& packet, Verdict verdict);
  void give_source(Traveller& packet, const OutputRoute& route);
  Verdict die(std::string_view where);

  // True when the packet survives the hook. A REJECT is answered here.
  bool pass(Hook hook, Traveller& packet);
  bool pass_stage(const Stage& stage, Hook hook, Traveller& packet);
  bool pass_nat(const Stage& stage, Hook hook, Traveller& packet);
  bool walk(TableName table, Hook hook, Traveller& packet, WalkVerdict* verdict = nullptr);
  bool route_again(Traveller& packet);
  // False: an IPv4 source 127.0.0.0/8 on a wire.
  bool may_leave_by(const PacketView& view, DeviceId out) const;
  void trim(Traveller& packet);
  bool stays_cut_over_lo(const Traveller& packet) const;
  // NAT, in pipeline_nat.cpp.
  bool bind(const Stage& stage, Hook hook, Traveller& packet);
  bool translate(Hook hook, Traveller& packet);
  bool translate_error(Hook hook, Traveller& packet);
  void replace(Traveller& packet, Packet made);
  void track(Hook hook, Traveller& packet);
  // The helper's look at the packet, and the shift of its sequence numbers, before it is confirmed;
  // in pipeline_helper.cpp. False: drop.
  bool help(Traveller& packet);
  void rewrite(Traveller& packet, const Rewriting& rewriting);
  bool shift_sequence(Traveller& packet);
  bool defragment(Traveller& packet, bool before_raw);
  void describe(Traveller& packet) const;

  void reject(const Reject& how, Traveller& packet);
  void answer_error(IcmpError error, const Traveller& about, std::uint32_t rest = 0);
  void answer(Packet made, const Traveller& about, bool closes);
  bool error_is_allowed(const Address& to);

  void note_event(const Traveller& packet, Hook hook, std::string text);
  void note_state(const Traveller& packet, Hook hook);
  void note_point(const Traveller& packet, Hook hook, std::string_view where);

  World world_;
  Backend backend_;
  std::array<bool, 2> tracks_{}, defragments_{}, has_nat_{};
  std::array<std::unique_ptr<Walker>, 2> walkers_;
  ConntrackTable conntrack_;
  NatBinder nat_;
  Reassembler reassembler_;
  Chooser& chooser_;
  Trace* trace_ = nullptr;
  bool points_ = false;

  // Of the packet under way.
  PacketReport* report_ = nullptr;  // null: nobody reads it
  ReplyReport* reply_ = nullptr;    // set while an answer is under way
  std::string_view died_at_;
  std::deque<Packet> made_;  // answers and reassembled packets: views point at them

  struct Allowance {
    std::uint64_t tokens = 0, since = 0;
  };
  std::map<Address, Allowance> allowances_;
};

}  // namespace postern
