#include "symbolic/sets/classes.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "base/check.hpp"
#include "flow/conntrack.hpp"
#include "flow/defragmentation.hpp"
#include "flow/odd_headers.hpp"
#include "net/no_protocol.hpp"
#include "symbolic/entries/templates.hpp"
#include "symbolic/sets/cuts.hpp"
#include "symbolic/sets/mac_codes.hpp"
#include "symbolic/sets/netmap.hpp"
#include "symbolic/sets/rewriting.hpp"
#include "symbolic/sets/scattered.hpp"

namespace postern {
namespace {

using Preference = std::function<std::pair<u128, std::uint32_t>(const std::vector<Interval>&)>;

// The smallest preferred value that lies in the intervals, by a list; else the lowest value.
Preference prefer(std::vector<u128> wanted) {
  return [wanted = std::move(wanted)](const std::vector<Interval>& intervals) {
    for (std::uint32_t i = 0; i < wanted.size(); ++i) {
      for (const Interval& in : intervals) {
        if (in.lo <= wanted[i] && wanted[i] <= in.hi) return std::pair{wanted[i], i};
      }
    }
    return std::pair{intervals.front().lo, static_cast<std::uint32_t>(wanted.size())};
  };
}

// The hosts that witnesses like best, then the loopback address.
std::vector<u128> documentation(Family family) {
  std::vector<u128> wanted;
  if (family == Family::kIpv4) {
    for (const u128 net : {u128{0xc0000200}, u128{0xc6336400}, u128{0xcb007100}}) {
      for (const u128 host : {9, 1, 2}) wanted.push_back(net + host);
    }
    wanted.push_back(0x7f000001);
    return wanted;
  }
  const u128 net = u128{0x20010db8} << 96;
  for (const u128 host : {9, 1, 2}) wanted.push_back(net + host);
  wanted.push_back(1);
  return wanted;
}

// Any documentation address inside counts before an arbitrary one.
Preference prefer_address(Family family) {
  std::vector<Interval> ranges;
  if (family == Family::kIpv4) {
    for (const u128 net : {u128{0xc0000200}, u128{0xc6336400}, u128{0xcb007100}}) {
      ranges.push_back({net, net + 255});
    }
  } else {
    ranges.push_back({u128{0x20010db8} << 96, (u128{0x20010db9} << 96) - 1});
  }
  std::vector<u128> wanted = documentation(family);
  const auto exact_ranks = static_cast<std::uint32_t>(wanted.size());
  return [exact = prefer(std::move(wanted)), ranges, exact_ranks](const std::vector<Interval>& in) {
    const auto [value, rank] = exact(in);
    if (rank < exact_ranks) return std::pair{value, rank};
    for (const Interval& range : ranges) {
      for (const Interval& i : in) {
        const u128 lo = std::max(range.lo, i.lo);
        if (lo <= std::min(range.hi, i.hi)) return std::pair{lo, exact_ranks};
      }
    }
    return std::pair{value, exact_ranks + 1};
  };
}

std::vector<Interval> merge(const std::vector<u128>& ascending) {
  std::vector<Interval> result;
  for (const u128 v : ascending) {
    if (!result.empty() && result.back().hi + 1 == v) {
      result.back().hi = v;
    } else {
      result.push_back({v, v});
    }
  }
  return result;
}

// Splits classes until each change leads a class into one class.
void refine(std::vector<std::size_t>& class_of, const std::vector<Change>& changes) {
  for (std::size_t count = 0, before = 1; count != before;) {
    before = count;
    std::map<std::vector<std::size_t>, std::size_t> known;
    std::vector<std::size_t> finer;
    for (std::uint32_t v = 0; v < class_of.size(); ++v) {
      std::vector<std::size_t> key{class_of[v]};
      for (const Change& change : changes) key.push_back(class_of[change(v)]);
      finer.push_back(known.try_emplace(std::move(key), known.size()).first->second);
    }
    class_of = std::move(finer);
    count = known.size();
  }
}

// A narrow field, value by value: two values share a class when no predicate and no `kind` tells
// them apart, nor what the changes make of them.
FieldClasses by_signature(const FieldCuts& cuts, unsigned width,
                          const std::function<std::uint32_t(std::uint32_t)>& kind,
                          const Preference& preference, const std::vector<Change>& changes = {}) {
  std::vector<u128> starts = cuts.starts;
  std::ranges::sort(starts);
  const auto signature = [&](std::uint32_t v) {
    std::vector<std::uint32_t> s{kind(v)};
    s.push_back(
        static_cast<std::uint32_t>(std::ranges::upper_bound(starts, u128{v}) - starts.begin()));
    for (const ScatteredMask& m : cuts.scattered) s.push_back((v & m.mask) == m.value ? 1 : 0);
    return s;
  };
  std::map<std::vector<std::uint32_t>, std::size_t> known;
  std::vector<std::size_t> class_of;
  for (std::uint32_t v = 0; v < (1u << width); ++v) {
    class_of.push_back(known.try_emplace(signature(v), known.size()).first->second);
  }
  if (!changes.empty()) refine(class_of, changes);
  std::vector<std::vector<u128>> members(std::ranges::max(class_of) + 1);
  for (std::size_t v = 0; v < class_of.size(); ++v) members[class_of[v]].push_back(v);
  FieldClasses result;
  for (const auto& values : members) {
    ValueClass c{merge(values)};
    std::tie(c.canonical, c.preference) = preference(c.intervals);
    result.ordered = result.ordered && c.intervals.size() == 1;
    result.classes.push_back(std::move(c));
  }
  return result;
}

std::uint32_t no_kind(std::uint32_t) { return 0; }

// A wide field: one class for each interval between cuts, split further by scattered masks.
FieldClasses by_interval(const FieldCuts& cuts, unsigned width, const Preference& preference) {
  const u128 last = low_bits(width);
  std::vector<u128> starts = cuts.starts;
  starts.push_back(0);
  std::erase_if(starts, [&](u128 v) { return v > last; });
  std::ranges::sort(starts);
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  std::vector<Interval> intervals;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    intervals.push_back({starts[i], i + 1 < starts.size() ? starts[i + 1] - 1 : last});
  }
  FieldClasses result;
  if (cuts.scattered.empty()) {
    for (const Interval& in : intervals) result.classes.push_back({{in}});
  } else {
    result.classes = split_by_masks(intervals, cuts.scattered, width);
    result.ordered = false;
  }
  for (ValueClass& c : result.classes) {
    std::tie(c.canonical, c.preference) = preference(c.intervals);
  }
  return result;
}

// Routing treats these addresses apart (routing.cpp: what can set out on a path).
void cut_routing(FieldCuts& cuts, Family family) {
  if (family == Family::kIpv4) {
    cuts.interval(0, 0);
    cuts.interval(0x7f000000, 0x7fffffff);
    cuts.interval(0xe0000000, 0xefffffff);
    cuts.interval(0xe0000001, 0xe0000001);
    cuts.interval(0xffffffff, 0xffffffff);
  } else {
    cuts.interval(0, 0);
    cuts.interval(1, 1);
    cuts.interval(u128{0xff} << 120, ~u128{0});
    cuts.interval((u128{0xff02} << 112) + 1, (u128{0xff02} << 112) + 1);
    cuts.interval(u128{0x3fa} << 118, (u128{0x3fb} << 118) - 1);
  }
}

FieldClasses tcp_flag_classes(const FieldCuts& cuts) {
  using namespace tcp_flag;
  const auto kind = [](std::uint32_t v) {
    const auto flags = static_cast<std::uint8_t>(v);
    return tcp_flags_valid(flags) ? v & (kFin | kSyn | kRst | kAck | kUrg) : 0x100u;
  };
  return by_signature(
      cuts, 8, kind,
      prefer({kSyn, kAck, kSyn | kAck, kPsh | kAck, kRst, kFin | kAck, kRst | kAck}));
}

FieldClasses icmp_type_classes(FieldCuts cuts, Family family) {
  // A predicate on the type tells answers apart as well: cut the partners of cut types.
  std::vector<u128> starts = cuts.starts;
  std::ranges::sort(starts);
  const auto cell = [&](std::uint32_t v) {
    return static_cast<std::uint32_t>(std::ranges::upper_bound(starts, u128{v}) - starts.begin());
  };
  const auto scattered = [&](std::uint32_t v) {
    std::uint32_t bits = 0;
    for (const ScatteredMask& m : cuts.scattered)
      bits = bits * 2 + ((v & m.mask) == m.value ? 1 : 0);
    return bits;
  };
  std::map<std::vector<std::uint32_t>, std::uint32_t> kinds;
  const auto kind = [&](std::uint32_t v) {
    const auto type = static_cast<std::uint8_t>(v);
    const std::uint32_t partner = icmp_partner(family, type);
    const bool redirect = family == Family::kIpv6 && type == kIcmpv6Redirect;
    std::vector<std::uint32_t> key{static_cast<std::uint32_t>(icmp_class(family, type)), redirect,
                                   cell(partner), scattered(partner)};
    return kinds.try_emplace(key, static_cast<std::uint32_t>(kinds.size())).first->second;
  };
  const bool v4 = family == Family::kIpv4;
  return by_signature(cuts, 8, kind, v4 ? prefer({8, 0, 3}) : prefer({128, 129, 1}));
}

// Interface names: the empty one, lo, every name that a rule has, an example for every prefix, and
// one that no rule knows. Two names that no pattern tells apart are one class.
void interface_classes(Classes& classes, const std::set<InterfacePattern>& patterns) {
  std::map<std::vector<bool>, std::uint32_t> known;
  const auto add = [&](const std::string& name, bool example) {
    std::vector<bool> signature{name.empty(), name == "lo"};
    for (const InterfacePattern& p : patterns) signature.push_back(p.matches(name));
    if (!known.try_emplace(signature, known.size()).second) return;
    const u128 number = classes.interface_names.size();
    classes.interface.classes.push_back({{{number, number}}, true, number, example ? 1u : 0u});
    classes.interface_names.push_back(name);
    classes.interface_is_example.push_back(example);
  };
  add("", false);
  add("lo", false);
  for (const InterfacePattern& p : patterns) {
    if (!p.prefix) add(p.name, false);
  }
  constexpr std::string_view kSuffixes = "0123456789abcdefghijklmnopqrstuvwxyz";
  for (const InterfacePattern& p : patterns) {
    if (!p.prefix || p.name.size() >= 15) continue;
    for (const char c : kSuffixes) add(p.name + c, true);
  }
  for (const char* name : {"eth0", "eth1", "wan0", "if0", "zz0"}) add(name, true);
}

std::vector<std::uint8_t> bit_list(std::uint32_t bits) {
  std::vector<std::uint8_t> result;
  for (std::uint8_t i = 0; i < 32; ++i) {
    if (((bits >> i) & 1) != 0) result.push_back(i);
  }
  return result;
}

void mark_classes(Classes& classes, const Program& program, const CutCollector& rules,
                  std::uint32_t question_bits) {
  const std::uint32_t zone_bits = Zones::reads_mark(program) ? 0xffff : 0;
  const MarkBits bits =
      followed_marks(program, rules.mark_bits | zone_bits, rules.connmark_bits, question_bits);
  classes.mark_bits = bit_list(bits.mark);
  classes.connmark_bits = bit_list(bits.connmark);
  classes.initial_mark_bits = bit_list(question_bits);
  classes.marks_are_read = bits.read;
  classes.zones = Zones(program, bits.mark);
  for (std::uint32_t i = 0; i < classes.zones.count(); ++i) {
    classes.zone.classes.push_back({{{i, i}}, true, i, i});
  }
}

}  // namespace

bool ValueClass::holds(u128 value) const {
  return std::ranges::any_of(intervals,
                             [&](const Interval& i) { return i.lo <= value && value <= i.hi; });
}

bool ValueClass::may_meet(u128 lo, u128 hi) const {
  return !complete || std::ranges::any_of(
                          intervals, [&](const Interval& i) { return i.lo <= hi && lo <= i.hi; });
}

std::optional<u128> ValueClass::single() const {
  const bool one = complete && intervals.size() == 1 && intervals[0].lo == intervals[0].hi;
  return one ? std::optional{intervals[0].lo} : std::nullopt;
}

std::optional<std::uint32_t> FieldClasses::of(u128 value) const {
  if (ordered) {
    const auto it = std::ranges::upper_bound(
        classes, value, {}, [](const ValueClass& c) { return c.intervals.front().lo; });
    return static_cast<std::uint32_t>(it - classes.begin()) - 1;
  }
  for (std::uint32_t i = 0; i < classes.size(); ++i) {
    for (const Interval& in : classes[i].intervals) {
      if (in.lo <= value && value <= in.hi) return i;
    }
  }
  return std::nullopt;
}

std::uint8_t icmp_partner(Family family, std::uint8_t type) {
  return icmp_counterpart(family, type).value_or(type);
}

Classes compress(const Program& program, std::span<const PredicatePtr> questions) {
  const Family family = program.ruleset().family;
  CutCollector cuts(family), asked(family);
  for (const ProgramRule& rule : program.rules()) {
    for (const Clause& clause : rule.rule->clauses) {
      cuts.add(*clause.predicate);
      if (clause.hotdrop) cuts.add(*clause.hotdrop);
    }
  }
  const bool tos_is_read = cuts.of(Field::kTos).tested();
  for (const PredicatePtr& question : questions) {
    asked.add(*question);
    cuts.add(*question);
  }
  cut_routing(cuts.of(Field::kSource), family);
  cut_netmaps(program, cuts.of(Field::kSource));
  const Templates templates(program);
  if (templates.help()) cuts.of(Field::kSourcePort).starts.push_back(1);  // what may be announced
  const bool nft = program.ruleset().backend == Backend::kNft;
  const bool v4 = family == Family::kIpv4;
  FieldCuts& truncated = cuts.of(Field::kTruncated);
  truncated.starts.push_back(1);
  FieldCuts& length = cuts.of(Field::kLength);
  if (length.tested()) {
    const auto header_of = [&](u128 bytes) {
      length.starts.push_back((v4 ? 20 : 40) + bytes);
      if (v4) length.starts.push_back(20 + kLongestOptions4 + bytes);
    };
    for (const u128 least : {0, 8, 12, 20}) header_of(least);
    length.starts.push_back(longest_packet(family) + 1);
    if (nft && !v4) length.starts.push_back(40 + kSeenOfExtension);
    // Where a rule reads headers that are cut short (HeaderPart), lengths tell how far.
    const bool parts = std::ranges::any_of(truncated.starts, [](u128 start) { return start > 1; });
    for (const u128 least : {2, 4, 14}) {
      if (parts) header_of(least);
    }
  }
  FieldCuts& ttl = cuts.of(Field::kTtl);
  for (const u128 start : std::vector<u128>(ttl.starts)) ttl.starts.push_back(start + 1);
  ttl.starts.push_back(1);
  ttl.starts.push_back(2);
  cuts.of(Field::kFragmentOffset).starts.push_back(1);

  Classes result;
  result.family = family;
  result.backend = program.ruleset().backend;
  result.defragments = puts_fragments_together(program);
  result.address =
      by_interval(cuts.of(Field::kSource), address_bits(family), prefer_address(family));
  result.port =
      by_interval(cuts.of(Field::kSourcePort), 16, prefer({40000, 1024, 1025, 2000, 80, 22}));
  const std::uint8_t icmp = v4 ? protocol::kIcmp : protocol::kIcmpv6;
  result.protocol = by_signature(
      cuts.of(Field::kProtocol), 8,
      [family, nft](std::uint32_t v) {
        const auto number = static_cast<std::uint8_t>(v);
        if (!has_key(family, number)) {
          if (number == kNoProtocol6) return 0x300u;
          if (nft && number == protocol::kAh) return 0x400u;
          return number == kNoNextHeader ? 0x100u : 0x200u;
        }
        return static_cast<std::uint32_t>(tracker_of(number));
      },
      prefer({protocol::kTcp, protocol::kUdp, icmp, 4, 2}));
  if (!v4) {  // no witness shows such packets where it can show others
    for (const std::uint8_t odd : {protocol::kAh, kNoProtocol6}) {
      result.protocol.classes[*result.protocol.of(odd)].preference += 0x100;
    }
  }
  result.icmp_type = icmp_type_classes(cuts.of(Field::kIcmpType), family);
  result.icmp_code = by_signature(cuts.of(Field::kIcmpCode), 8, no_kind, prefer({0}));
  result.tcp_flags = tcp_flag_classes(cuts.of(Field::kTcpFlags));
  result.length = by_interval(length, info(Field::kLength).width,
                              prefer({v4 ? 40u : 60u, v4 ? 60u : 80u, 100}));
  const auto ttl_changes = changes_of(program, Field::kTtl);
  const auto tos_changes = tos_is_read ? changes_of(program, Field::kTos) : std::vector<Change>{};
  result.follows_ttl = !ttl_changes.empty();
  result.follows_tos = !tos_changes.empty();
  result.ttl = by_signature(ttl, 8, no_kind, prefer({64, 128, 255}), ttl_changes);
  result.tos = by_signature(cuts.of(Field::kTos), 8, no_kind, prefer({0}), tos_changes);
  FieldCuts flag;
  flag.starts = {1};
  result.has_mac = by_signature(flag, 1, no_kind, prefer({0}));
  result.truncated = by_signature(truncated, 3, no_kind, prefer({0, 4, 3, 2}));
  result.mac = by_interval(cuts.of(Field::kMacSource), 48, prefer({u128{0x020000000001}}));
  result.mac_codes = mac_codes(program, questions, result.address, result.mac);
  result.fragment_offset = by_interval(cuts.of(Field::kFragmentOffset), 13, prefer({0}));
  const bool types = cuts.of(Field::kSourceType).tested();
  result.address_type = by_signature(
      cuts.of(Field::kSourceType), 4, [types](std::uint32_t v) { return types ? v : 0; },
      prefer({static_cast<u128>(AddressType::kUnicast), static_cast<u128>(AddressType::kLocal)}));
  FieldCuts states;
  states.starts = {1, 2, 3, 4};
  result.state = by_interval(states, 3, prefer({1, 2}));
  std::erase_if(result.state.classes, [](const ValueClass& c) { return c.intervals[0].lo > 4; });
  result.state.classes.back().intervals[0].hi = 4;
  result.expects = templates.help() || templates.strange_help();
  const u128 last = templates.values() - 1;
  for (u128 value = 0; value <= last; ++value) {
    result.untracked.classes.push_back({{{value, value}}, true, value, 0});
  }
  interface_classes(result, cuts.interfaces);
  mark_classes(result, program, cuts, asked.mark_bits);
  result.tcp_options.assign(cuts.tcp_options.begin(), cuts.tcp_options.end());
  return result;
}

}  // namespace postern
