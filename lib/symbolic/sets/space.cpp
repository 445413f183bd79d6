#include "symbolic/sets/space.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace postern {
namespace {

// THE variable order (encoding.md, advice 3): the field with most classes first, interface and MAC
// beside it; measured to matter by a factor of 15.
constexpr std::array kOrder{Axis::kInitiator,
                            Axis::kInitiatorInterface,
                            Axis::kHasMac,
                            Axis::kInitiatorMac,
                            Axis::kResponder,
                            Axis::kResponderMac,
                            Axis::kResponderInterface,
                            Axis::kProtocol,
                            Axis::kState,
                            Axis::kFirst,
                            Axis::kDirection,
                            Axis::kSeenReply,
                            Axis::kAssured,
                            Axis::kExpected,
                            Axis::kTcpFlags,
                            Axis::kIcmpType,
                            Axis::kIcmpCode,
                            Axis::kResponderPort,
                            Axis::kInitiatorPort,
                            Axis::kInitiatorType,
                            Axis::kResponderType,
                            Axis::kFragmentOffset,
                            Axis::kTruncated,
                            Axis::kLength,
                            Axis::kTtl,
                            Axis::kTos,
                            Axis::kTcpOptions,
                            Axis::kInitialMark};

constexpr std::array<std::string_view, kAxisCount> kNames{"initiator",
                                                          "responder",
                                                          "initiator-port",
                                                          "responder-port",
                                                          "initiator-interface",
                                                          "responder-interface",
                                                          "initiator-type",
                                                          "responder-type",
                                                          "proto",
                                                          "type",
                                                          "code",
                                                          "initial-mark",
                                                          "flags",
                                                          "length",
                                                          "ttl",
                                                          "tos",
                                                          "has_mac",
                                                          "mac",
                                                          "responder-mac",
                                                          "frag_off",
                                                          "truncated",
                                                          "tcp-options",
                                                          "ctstate",
                                                          "ctdir",
                                                          "first",
                                                          "seen-reply",
                                                          "assured",
                                                          "expected",
                                                          "mark",
                                                          "ctmark",
                                                          "untracked",
                                                          "zone",
                                                          "ttl-now",
                                                          "tos-now",
                                                          "mark-before",
                                                          "ctmark-before",
                                                          "untracked-before",
                                                          "zone-before",
                                                          "ttl-before",
                                                          "tos-before"};

const FieldClasses* classes_of(const Classes& c, Axis axis, const FieldClasses& binary) {
  switch (axis) {
    case Axis::kInitiator:
    case Axis::kResponder:
      return &c.address;
    case Axis::kInitiatorPort:
    case Axis::kResponderPort:
      return &c.port;
    case Axis::kInitiatorInterface:
    case Axis::kResponderInterface:
      return &c.interface;
    case Axis::kInitiatorType:
    case Axis::kResponderType:
      return &c.address_type;
    case Axis::kProtocol:
      return &c.protocol;
    case Axis::kIcmpType:
      return &c.icmp_type;
    case Axis::kIcmpCode:
      return &c.icmp_code;
    case Axis::kTcpFlags:
      return &c.tcp_flags;
    case Axis::kLength:
      return &c.length;
    case Axis::kTtl:
      return &c.ttl;
    case Axis::kTos:
      return &c.tos;
    case Axis::kHasMac:
      return &c.has_mac;
    case Axis::kInitiatorMac:
    case Axis::kResponderMac:
      return &c.mac_codes.codes;
    case Axis::kFragmentOffset:
      return &c.fragment_offset;
    case Axis::kTruncated:
      return &c.truncated;
    case Axis::kState:
      return &c.state;
    case Axis::kZone:
    case Axis::kZoneBefore:
      return &c.zone;
    case Axis::kDirection:
    case Axis::kFirst:
    case Axis::kSeenReply:
    case Axis::kAssured:
    case Axis::kExpected:
      return &binary;
    default:
      return nullptr;
  }
}

unsigned bits_for(std::uint32_t count) {
  unsigned bits = 0;
  while ((std::uint64_t{1} << bits) < count) ++bits;
  return bits;
}

FieldClasses zero_and_one() { return {{{{{0, 0}}, true, 0, 0}, {{{1, 1}}, true, 1, 1}}, true}; }

}  // namespace

std::string_view name(Axis axis) { return kNames[static_cast<std::size_t>(axis)]; }

std::span<const Axis> flow_axes() {
  static constexpr std::array kAxes{
      Axis::kInitiator,     Axis::kResponder,          Axis::kInitiatorPort,
      Axis::kResponderPort, Axis::kInitiatorInterface, Axis::kResponderInterface,
      Axis::kInitiatorType, Axis::kResponderType,      Axis::kProtocol,
      Axis::kIcmpType,      Axis::kIcmpCode,           Axis::kInitialMark};
  return kAxes;
}

std::span<const Axis> packet_axes() {
  static constexpr std::array kAxes{Axis::kTcpFlags,     Axis::kLength,         Axis::kTtl,
                                    Axis::kTos,          Axis::kHasMac,         Axis::kInitiatorMac,
                                    Axis::kResponderMac, Axis::kFragmentOffset, Axis::kTruncated,
                                    Axis::kTcpOptions};
  return kAxes;
}

// Gives out variable numbers in order while the layouts are made.
class SpaceBuilder {
 public:
  explicit SpaceBuilder(Space& space) : space_(space) {}

  unsigned build() {
    for (const Axis axis : kOrder) {
      if (axis == Axis::kInitialMark) continue;  // next to the bits that begin as it
      AxisLayout& layout = of(axis);
      layout.classes = classes_of(space_.classes_, axis, space_.binary_);
      if (layout.classes != nullptr) {
        for (unsigned i = 0; i < bits_for(layout.classes->count()); ++i) add(axis);
      } else {
        for (const std::uint8_t kind : space_.classes_.tcp_options) add_bit(axis, kind);
      }
    }
    // What a walk changes: each bit before, in scratch and now side by side, so that both renamings
    // of relation.cpp keep the order.
    const auto has = [](const std::vector<std::uint8_t>& bits, std::uint8_t bit) {
      return std::ranges::find(bits, bit) != bits.end();
    };
    for (std::uint8_t bit = 0; bit < 32; ++bit) {
      if (has(space_.classes_.initial_mark_bits, bit)) add_bit(Axis::kInitialMark, bit);
      if (!has(space_.classes_.mark_bits, bit)) continue;
      add_bit(Axis::kMarkBefore, bit);
      space_.mark_scratch.push_back(scratch());
      add_bit(Axis::kMark, bit);
    }
    for (const std::uint8_t bit : space_.classes_.connmark_bits) {
      add_bit(Axis::kConnmarkBefore, bit);
      space_.connmark_scratch.push_back(scratch());
      add_bit(Axis::kConnmark, bit);
    }
    of(Axis::kUntracked).classes = of(Axis::kUntrackedBefore).classes = &space_.classes_.untracked;
    for (unsigned i = 0; i < bits_for(space_.classes_.untracked.count()); ++i) {
      add(Axis::kUntrackedBefore);
      space_.untracked_scratch.push_back(scratch());
      add(Axis::kUntracked);
    }
    of(Axis::kZone).classes = of(Axis::kZoneBefore).classes = &space_.classes_.zone;
    for (unsigned i = 0; i < bits_for(space_.classes_.zone.count()); ++i) {
      add(Axis::kZoneBefore);
      space_.zone_scratch.push_back(scratch());
      add(Axis::kZone);
    }
    const Classes& classes = space_.classes_;
    if (classes.follows_ttl) {
      follow(classes.ttl, Axis::kTtlBefore, Axis::kTtlNow, space_.ttl_scratch);
    }
    if (classes.follows_tos) {
      follow(classes.tos, Axis::kTosBefore, Axis::kTosNow, space_.tos_scratch);
    }
    return next_;
  }

 private:
  AxisLayout& of(Axis axis) { return space_.layouts_[static_cast<std::size_t>(axis)]; }
  void add(Axis axis) {
    space_.meanings_.emplace_back(
        std::pair{axis, static_cast<unsigned>(of(axis).variables.size())});
    of(axis).variables.push_back(next_++);
  }
  void add_bit(Axis axis, std::uint8_t bit) {
    of(axis).bits.push_back(bit);
    add(axis);
  }
  void follow(const FieldClasses& classes, Axis before, Axis now, std::vector<unsigned>& between) {
    of(before).classes = of(now).classes = &classes;
    for (unsigned i = 0; i < bits_for(classes.count()); ++i) {
      add(before);
      between.push_back(scratch());
      add(now);
    }
  }
  unsigned scratch() {
    space_.meanings_.emplace_back(std::nullopt);
    return next_++;
  }
  Space& space_;
  unsigned next_ = 0;
};

Space::Space(Classes classes, std::size_t node_limit)
    : classes_(std::move(classes)),
      binary_(zero_and_one()),
      bdd_(SpaceBuilder(*this).build(), node_limit) {
  for (std::size_t i = kAxisCount; i-- > 0;) {
    const auto axis = static_cast<Axis>(i);
    const AxisLayout& l = layouts_[i];
    if (l.classes != nullptr)
      domain_ = bdd_.both(class_range(axis, 0, l.classes->count() - 1), domain_);
  }
}

std::optional<std::pair<Axis, unsigned>> Space::meaning(unsigned variable) const {
  return meanings_[variable];
}

// Codes of `variables` (most significant first) that are at least, or at most, `bound`.
Set Space::bounded(std::span<const unsigned> variables, std::uint32_t bound, bool at_least) {
  Set result = kEverything;
  for (std::size_t i = variables.size(); i-- > 0;) {
    const bool one = ((bound >> (variables.size() - 1 - i)) & 1) != 0;
    const Set bit = bdd_.literal(variables[i], one);
    result = one == at_least
                 ? bdd_.both(bit, result)
                 : bdd_.either(bdd_.literal(variables[i], !one), bdd_.both(bit, result));
  }
  return result;
}

Set Space::class_range(Axis axis, std::uint32_t first, std::uint32_t last) {
  const AxisLayout& l = layout(axis);
  POSTERN_CHECK(l.classes != nullptr, "bit axes have no classes");
  if (first > last) return kNothing;
  const std::uint32_t end = l.classes->count() - 1;
  Set result = first == 0 ? kEverything : bounded(l.variables, first, true);
  if (last < end || (std::uint64_t{1} << l.variables.size()) != l.classes->count()) {
    result = bdd_.both(result, bounded(l.variables, std::min(last, end), false));
  }
  return result;
}

Set Space::class_is(Axis axis, std::uint32_t number) {
  const auto& variables = layout(axis).variables;
  Set result = kEverything;
  for (std::size_t i = variables.size(); i-- > 0; number >>= 1) {
    result = bdd_.both(bdd_.literal(variables[i], (number & 1) != 0), result);
  }
  return result;
}

Set Space::from_itself() {
  if (from_itself_) return *from_itself_;
  Set result = kNothing;
  const auto& all = classes().address.classes;
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    const auto& in = all[i].intervals;
    if (in.size() != 1 || in[0].lo != in[0].hi || in[0].lo == 0) continue;
    result = bdd_.either(result,
                         bdd_.both(class_is(Axis::kInitiator, i), class_is(Axis::kResponder, i)));
  }
  from_itself_ = result;
  return result;
}

Set Space::may_be(Axis axis, u128 lo, u128 hi) {
  return class_set_if(axis, [&](const ValueClass& c) { return c.may_meet(lo, hi); });
}

Set Space::class_set(Axis axis, const std::vector<bool>& member) {
  Set result = kNothing;
  const auto count = static_cast<std::uint32_t>(member.size());
  for (std::uint32_t i = 0; i < count;) {
    if (!member[i]) {
      ++i;
      continue;
    }
    std::uint32_t end = i;
    while (end + 1 < count && member[end + 1]) ++end;
    result = bdd_.either(result, class_range(axis, i, end));
    i = end + 1;
  }
  return result;
}

Set Space::values(Axis axis, u128 lo, u128 hi) {
  const FieldClasses& classes = *layout(axis).classes;
  if (classes.ordered) {
    if (lo > hi) return kNothing;
    std::uint32_t first = classes.of(lo).value();
    if (classes.classes[first].intervals.front().lo < lo) ++first;
    const std::uint32_t last = classes.of(hi).value();
    if (classes.classes[last].intervals.front().hi > hi) {
      return last == 0 ? kNothing : class_range(axis, first, last - 1);
    }
    return class_range(axis, first, last);
  }
  return class_set_if(axis, [&](const ValueClass& c) {
    return std::ranges::all_of(c.intervals,
                               [&](const Interval& in) { return lo <= in.lo && in.hi <= hi; });
  });
}

std::optional<Set> Space::bit(Axis axis, std::uint8_t bit, bool positive) {
  const AxisLayout& l = layout(axis);
  const auto it = std::ranges::find(l.bits, bit);
  if (it == l.bits.end()) return std::nullopt;
  return bdd_.literal(l.variables[static_cast<std::size_t>(it - l.bits.begin())], positive);
}

std::optional<Axis> Space::present(Field field) const {
  if (field == Field::kTtl && classes_.follows_ttl) return Axis::kTtlNow;
  if (field == Field::kTos && classes_.follows_tos) return Axis::kTosNow;
  return std::nullopt;
}

Set Space::as_sent() {
  Set result = kEverything;
  for (const auto& [field, axis] :
       {std::pair{Field::kTtl, Axis::kTtl}, std::pair{Field::kTos, Axis::kTos}}) {
    const std::optional<Axis> now = present(field);
    if (!now) continue;
    const auto& sent = layout(axis).variables;
    for (std::size_t i = 0; i < sent.size(); ++i) {
      const Set same = bdd_.same(bdd_.literal(sent[i]), bdd_.literal(layout(*now).variables[i]));
      result = bdd_.both(result, same);
    }
  }
  return result;
}

Set Space::cube(std::span<const Axis> axes) {
  std::vector<unsigned> variables;
  for (const Axis axis : axes) {
    const auto& of_axis = layout(axis).variables;
    variables.insert(variables.end(), of_axis.begin(), of_axis.end());
  }
  return bdd_.cube(variables);
}

Set Space::forall(Set s, std::span<const Axis> axes) {
  const Set c = cube(axes);
  // Only the domain of these axes counts: codes without a class satisfy everything.
  Set outside = kNothing;
  for (const Axis axis : axes) {
    const AxisLayout& l = layout(axis);
    if (l.classes == nullptr) continue;
    outside = bdd_.either(outside, bdd_.complement(class_range(axis, 0, l.classes->count() - 1)));
  }
  return bdd_.forall(bdd_.either(s, outside), c);
}

std::vector<std::uint32_t> Space::classes_in(Set s, Axis axis) {
  std::vector<Axis> others;
  std::vector<unsigned> variables;
  const auto& mine = layout(axis).variables;
  for (unsigned v = 0; v < bdd_.variables(); ++v) {
    if (std::ranges::find(mine, v) == mine.end()) variables.push_back(v);
  }
  const Set projected = bdd_.exists(s, bdd_.cube(variables));
  std::vector<std::uint32_t> result;
  std::vector<bool> point(bdd_.variables(), false);
  for (std::uint32_t i = 0; i < layout(axis).classes->count(); ++i) {
    for (std::size_t b = 0; b < mine.size(); ++b) {
      point[mine[b]] = ((i >> (mine.size() - 1 - b)) & 1) != 0;
    }
    if (bdd_.contains(projected, point)) result.push_back(i);
  }
  return result;
}

std::vector<Interval> Space::intervals(Set s, Axis axis) {
  std::vector<Interval> all;
  for (const std::uint32_t i : classes_in(s, axis)) {
    const auto& in = layout(axis).classes->classes[i].intervals;
    all.insert(all.end(), in.begin(), in.end());
  }
  std::ranges::sort(all, {}, &Interval::lo);
  std::vector<Interval> merged;
  for (const Interval& in : all) {
    if (!merged.empty() && merged.back().hi + 1 == in.lo) {
      merged.back().hi = in.hi;
    } else {
      merged.push_back(in);
    }
  }
  return merged;
}

std::uint32_t Space::class_at(const std::vector<std::uint8_t>& point, Axis axis) const {
  std::uint32_t code = 0;
  for (const unsigned v : layout(axis).variables) code = code * 2 + (point[v] == 1 ? 1u : 0u);
  return code;
}

std::vector<std::uint32_t> Space::canonical(Set s, std::span<const Axis> order) {
  POSTERN_CHECK(!s.empty(), "an empty set has no canonical element");
  std::vector<std::uint32_t> result;
  for (const Axis axis : order) {
    const FieldClasses* classes = layout(axis).classes;
    if (classes == nullptr) {
      result.push_back(0);
      continue;
    }
    const auto possible = classes_in(s, axis);
    POSTERN_CHECK(!possible.empty(), "a set outside the domain");
    const auto best = std::ranges::min(possible, {}, [&](std::uint32_t i) {
      return std::pair{classes->classes[i].preference, i};
    });
    result.push_back(best);
    s = bdd_.both(s, class_is(axis, best));
  }
  return result;
}

}  // namespace postern
