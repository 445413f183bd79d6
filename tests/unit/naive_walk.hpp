// A naive evaluator of one packet's way through the hooks of a path: rule by rule, following every
// coin. Used by tests/unit/walk_test.cpp.
#pragma once

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "base/overloaded.hpp"
#include "flow/program.hpp"
#include "symbolic/rules/passage.hpp"

namespace postern {

// One packet with everything that a rule may read of it.
struct One {
  std::array<u128, 2> address{};  // initiator, responder
  std::array<u128, 2> port{};
  std::array<std::string, 2> wire;  // interface towards each end
  u128 protocol = 6, flags = 2, ttl = 64;
  FlowEnd sender = FlowEnd::kInitiator;
  Path path = Path::kIn;  // of the flow's initiator
  CtState state = CtState::kNew, second = CtState::kInvalid;
  bool reply = false, first = false, seen = false, assured = false;
  std::uint32_t connmark = 0;
};

// What changes on the way.
struct Now {
  std::uint32_t mark = 0, connmark = 0;
  bool untracked = false;
  auto operator<=>(const Now&) const = default;
};

enum class Verdict : std::uint8_t { kAccept, kReturn, kDrop, kReset };
using Results = std::set<std::pair<Verdict, Now>>;

// Where the packet is.
struct Place {
  Hook hook = Hook::kPrerouting;
  CtState state = CtState::kInvalid;
  bool before_lookup = false, attaches = false, confirmed = false;
};

class Naive {
 public:
  Naive(const Program& program, const One& one) : program_(program), one_(one) {}

  // (fate, connmark) in the first lookup's part and in the second's; fate 6: lost before the
  // lookup.
  using Fates = std::set<std::pair<unsigned, std::uint32_t>>;
  Fates direct, again;

  void run() {
    const Path path = one_.sender == FlowEnd::kInitiator ? one_.path : reverse(one_.path);
    std::set<Now> live{{0, one_.connmark, false}};
    if (path != Path::kLoopback) {
      live = first_hook(path == Path::kOut ? Hook::kOutput : Hook::kPrerouting, live, direct,
                        one_.state);
      if (path == Path::kIn)
        live = table({Hook::kInput, one_.state}, TableName::kFilter, live, direct);
      if (path == Path::kForward) {
        if (one_.ttl < 2) live = lose(live, direct);
        live = table({Hook::kForward, one_.state}, TableName::kFilter, live, direct);
      }
      if (path != Path::kIn)
        live = table({Hook::kPostrouting, one_.state}, TableName::kMangle, live, direct);
      return finish(live, direct);
    }
    live = first_hook(Hook::kOutput, live, direct, one_.state);
    live = table({Hook::kPostrouting, one_.state}, TableName::kMangle, live, direct);
    if (one_.state == CtState::kInvalid) {
      live = first_hook(Hook::kPrerouting, live, again, one_.second);
      return finish(table({Hook::kInput, one_.second}, TableName::kFilter, live, again), again);
    }
    Place second{Hook::kPrerouting, one_.state, false, false, true};
    live = table(second, TableName::kRaw, live, direct);
    live = table(second, TableName::kMangle, live, direct);
    second.hook = Hook::kInput;
    finish(table(second, TableName::kFilter, live, direct), direct);
  }

 private:
  void finish(const std::set<Now>& live, Fates& fates) {
    for (const Now& now : live) fates.insert({0, now.connmark});
  }

  // Routing forwards nothing that has no hop left.
  std::set<Now> lose(const std::set<Now>& live, Fates& fates) {
    for (const Now& now : live) fates.insert({1, now.connmark});
    return {};
  }

  std::set<Now> first_hook(Hook hook, std::set<Now> live, Fates& fates, CtState state) {
    live = table({hook, CtState::kInvalid, true, true, false}, TableName::kRaw, live, fates);
    std::erase_if(live,
                  [&](const Now& n) { return n.untracked != (state == CtState::kUntracked); });
    live = table({hook, state}, TableName::kMangle, live, fates);
    if (hook == Hook::kOutput) live = table({hook, state}, TableName::kFilter, live, fates);
    return live;
  }

  std::set<Now> table(const Place& place, TableName name, const std::set<Now>& live, Fates& fates) {
    const auto entry = program_.entry(place.hook, name);
    if (!entry) return live;
    std::set<Now> out;
    for (const Now& now : live) {
      for (const auto& [verdict, after] : chain(place, *entry, now)) {
        const bool policy = program_.chains()[*entry].chain->policy == Policy::kAccept;
        if (verdict == Verdict::kAccept || (verdict == Verdict::kReturn && policy)) {
          out.insert(after);
        } else if (place.before_lookup) {
          fates.insert({6, 0});
        } else {
          const bool reset = verdict == Verdict::kReset;
          const unsigned fate = (reset ? 2u : 1u) + (place.confirmed ? 2u : 0u);
          fates.insert({fate, after.connmark});
        }
      }
    }
    return out;
  }

  Results chain(const Place& place, ChainId id, const Now& start) {
    Results results;
    std::set<Now> live{start};
    const ProgramChain& c = program_.chains()[id];
    for (RuleId r = c.first; r < c.first + c.count; ++r) {
      std::set<Now> next;
      for (const Now& now : live) {
        const auto [may, must] = matches(r, place, now);
        if (!must) next.insert(now);
        if (may) act(r, place, now, next, results);
      }
      live = next;
    }
    for (const Now& now : live) results.insert({Verdict::kReturn, now});
    return results;
  }

  void act(RuleId r, const Place& place, const Now& now, std::set<Now>& next, Results& results) {
    const ProgramRule& rule = program_.rules()[r];
    if (rule.callee) {
      for (const auto& [verdict, after] : chain(place, *rule.callee, now)) {
        const bool goes_on =
            verdict == Verdict::kReturn && std::holds_alternative<Jump>(rule.rule->action);
        if (goes_on) {
          next.insert(after);
        } else {
          results.insert({verdict, after});
        }
      }
      return;
    }
    const Effect* effect = std::get_if<Effect>(&rule.rule->action);
    if (effect == nullptr) {
      next.insert(now);
      return;
    }
    Now after = now;
    const bool entry = !place.before_lookup && place.state != CtState::kInvalid &&
                       place.state != CtState::kUntracked;
    std::visit(Overloaded{[&](const Accept&) {
                            results.insert({Verdict::kAccept, now});
                          },
                          [&](const Drop&) {
                            results.insert({Verdict::kDrop, now});
                          },
                          [&](const Return&) {
                            results.insert({Verdict::kReturn, now});
                          },
                          [&](const Reject& e) {
                            results.insert({e.tcp_reset ? Verdict::kReset : Verdict::kDrop, now});
                          },
                          [&](const ToSocket& e) {
                            results.insert({Verdict::kDrop, now});
                            // ip_forward drops it.
                            if (one_.path == Path::kForward && place.hook == Hook::kPrerouting) {
                              return;
                            }
                            after.mark = (now.mark & ~e.mark.mask) ^ e.mark.value;
                            results.insert({Verdict::kAccept, after});
                          },
                          [&](const SetMark& e) {
                            after.mark = (now.mark & ~e.mask) ^ e.value;
                            next.insert(after);
                          },
                          [&](const SetConnmark& e) {
                            if (entry) change(e, after);
                            next.insert(after);
                          },
                          [&](const NoTrack&) {
                            if (place.attaches) after.untracked = true;
                            next.insert(after);
                          },
                          [&](const auto&) { next.insert(now); }},
               *effect);
  }

  static void change(const SetConnmark& e, Now& n) {
    switch (e.op) {
      case SetConnmark::Op::kSet:
        n.connmark = (n.connmark & ~e.ctmask) ^ e.value;
        break;
      case SetConnmark::Op::kSave:
        n.connmark = (n.connmark & ~e.ctmask) ^ (n.mark & e.nfmask);
        break;
      case SetConnmark::Op::kRestore:
        n.mark = (n.mark & ~e.nfmask) ^ (n.connmark & e.ctmask);
        break;
    }
  }

  std::pair<bool, bool> matches(RuleId r, const Place& place, const Now& now) {
    std::pair<bool, bool> result{true, true};
    for (const Clause& clause : program_.rules()[r].rule->clauses) {
      const auto [may, must] = holds(*clause.predicate, place, now);
      result = {result.first && may, result.second && must};
    }
    return result;
  }

  std::pair<bool, bool> holds(const Predicate& p, const Place& place, const Now& now) {
    const auto sure = [](bool b) { return std::pair{b, b}; };
    return std::visit(Overloaded{[&](const Const& n) { return sure(n.value); },
                                 [&](const InRange& n) {
                                   const u128 v = value(n.field, place, now);
                                   return sure(n.lo <= v && v <= n.hi);
                                 },
                                 [&](const Masked& n) {
                                   return sure((value(n.field, place, now) & n.mask) == n.value);
                                 },
                                 [&](const InterfaceIs& n) {
                                   return sure(n.pattern.matches(interface(n.output, place)));
                                 },
                                 [&](const TcpOption&) { return sure(false); },
                                 [&](const Opaque&) {
                                   return std::pair{true, false};
                                 },
                                 [&](const Not& n) {
                                   const auto [may, must] = holds(*n.operand, place, now);
                                   return std::pair{!must, !may};
                                 },
                                 [&](const All& n) {
                                   std::pair<bool, bool> all{true, true};
                                   for (const auto& q : n.operands) {
                                     const auto one = holds(*q, place, now);
                                     all = {all.first && one.first, all.second && one.second};
                                   }
                                   return all;
                                 },
                                 [&](const Any& n) {
                                   std::pair<bool, bool> some{false, false};
                                   for (const auto& q : n.operands) {
                                     const auto one = holds(*q, place, now);
                                     some = {some.first || one.first, some.second || one.second};
                                   }
                                   return some;
                                 }},
                      p.node);
  }

  std::string interface(bool output, const Place& place) const {
    const bool forwarded = one_.path == Path::kForward;
    const bool sees = output ? place.hook == Hook::kForward || place.hook == Hook::kOutput ||
                                   place.hook == Hook::kPostrouting
                             : place.hook == Hook::kPrerouting || place.hook == Hook::kInput ||
                                   place.hook == Hook::kForward ||
                                   (place.hook == Hook::kPostrouting && forwarded);
    if (!sees) return "";
    const bool initiator = (one_.sender == FlowEnd::kInitiator) != output;
    return one_.wire[initiator ? 0 : 1];
  }

  u128 value(Field field, const Place& place, const Now& now) const {
    const std::size_t from = one_.sender == FlowEnd::kInitiator ? 0 : 1, to = 1 - from;
    switch (field) {
      case Field::kSource:
        return one_.address[from];
      case Field::kDestination:
        return one_.address[to];
      case Field::kSourcePort:
        return one_.port[from];
      case Field::kDestinationPort:
        return one_.port[to];
      case Field::kProtocol:
        return one_.protocol;
      case Field::kTcpFlags:
        return one_.flags;
      case Field::kTtl: {
        const bool behind = one_.path == Path::kForward && place.hook != Hook::kPrerouting;
        return behind ? one_.ttl - 1 : one_.ttl;
      }
      case Field::kMark:
        return now.mark;
      case Field::kCtMark:
        return place.before_lookup ? 0 : now.connmark;
      case Field::kCtState: {
        if (!place.before_lookup) return static_cast<u128>(place.state);
        return static_cast<u128>(now.untracked ? CtState::kUntracked : CtState::kInvalid);
      }
      case Field::kCtDirection:
        return one_.reply && !place.before_lookup ? 1 : 0;
      case Field::kCtStatus: {
        if (place.before_lookup || place.state == CtState::kInvalid ||
            place.state == CtState::kUntracked) {
          return 0;
        }
        unsigned bits = one_.first && !place.confirmed ? 0u : unsigned{ct_status::kConfirmed};
        if (one_.seen) bits |= ct_status::kSeenReply;
        if (one_.assured) bits |= ct_status::kAssured;
        return bits;
      }
      case Field::kCtOriginalSource:
        return place.before_lookup ? 0 : one_.address[one_.reply ? to : from];
      default:
        return 0;
    }
  }

  const Program& program_;
  const One& one_;
};

// --- random rulesets --------------------------------------------------------------------------

}  // namespace postern
