#include "symbolic/proof/certificate_terms.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "symbolic/sets/generalise.hpp"

namespace postern {
namespace {

// The field whose width an axis has.
std::optional<Field> field_of(Axis axis) {
  switch (axis) {
    case Axis::kInitiator:
    case Axis::kResponder:
      return Field::kSource;
    case Axis::kInitiatorPort:
    case Axis::kResponderPort:
      return Field::kSourcePort;
    case Axis::kInitiatorType:
    case Axis::kResponderType:
      return Field::kSourceType;
    case Axis::kProtocol:
      return Field::kProtocol;
    case Axis::kIcmpType:
      return Field::kIcmpType;
    case Axis::kIcmpCode:
      return Field::kIcmpCode;
    case Axis::kTcpFlags:
      return Field::kTcpFlags;
    case Axis::kLength:
      return Field::kLength;
    case Axis::kTtl:
      return Field::kTtl;
    case Axis::kTos:
      return Field::kTos;
    case Axis::kHasMac:
      return Field::kHasMac;
    case Axis::kFragmentOffset:
      return Field::kFragmentOffset;
    case Axis::kTruncated:
      return Field::kTruncated;
    default:
      return std::nullopt;
  }
}

bool is_interface(Axis axis) {
  return axis == Axis::kInitiatorInterface || axis == Axis::kResponderInterface;
}

bool is_card(Axis axis) { return axis == Axis::kInitiatorMac || axis == Axis::kResponderMac; }

}  // namespace

AxisTerms::AxisTerms(Space& space, Solver& solver, Encoder& encoder, Set points)
    : space_(space), solver_(solver), encoder_(encoder) {
  for (const auto axes : {flow_axes(), packet_axes()}) {
    for (const Axis axis : axes) {
      if (space.layout(axis).classes != nullptr) {
        add_class_axis(axis, points);
      } else {
        add_bit_axis(axis);
      }
    }
  }
  add_bit_axis(Axis::kConnmark);
  add_bit_axis(Axis::kConnmarkBefore);
}

void AxisTerms::add_class_axis(Axis axis, Set points) {
  const FieldClasses& classes = *space_.layout(axis).classes;
  const auto possible = space_.classes_in(points, axis);
  if (is_interface(axis)) {
    const Term term = possible.size() == 1 ? solver_.number(possible.front(), kInterfaceBits)
                                           : solver_.fresh_bits(name(axis), kInterfaceBits);
    values_.emplace(axis, term);
    return;
  }
  if (is_card(axis)) {  // the codes say nothing without the address
    const unsigned card = field_width(Field::kMacSource, space_.classes().family);
    values_.emplace(axis, solver_.fresh_bits(name(axis), card));
    return;
  }
  const unsigned width = field_width(*field_of(axis), space_.classes().family);
  const auto intervals = values_of(classes, possible);
  // Only a single value becomes a constant; a class of several keeps its range.
  if (intervals.size() == 1 && intervals.front().lo == intervals.front().hi) {
    values_.emplace(axis, solver_.number(intervals.front().lo, width));
    return;
  }
  const Term term = solver_.fresh_bits(name(axis), width);
  if (!intervals.empty() &&
      std::ranges::all_of(possible, [&](std::uint32_t c) { return classes.classes[c].complete; })) {
    encoder_.know(term, intervals.front().lo, std::min(intervals.back().hi, low_bits(width)));
  }
  values_.emplace(axis, term);
}

AxisTerms::AxisTerms(const AxisTerms& first, Set points, const std::vector<Term>& connmark_bits)
    : space_(first.space_), solver_(first.solver_), encoder_(first.encoder_) {
  for (const Axis axis : flow_axes()) {
    if (space_.layout(axis).classes != nullptr) {
      values_.emplace(axis, first.value(axis));
    } else {
      bits_.emplace(axis, first.bits(axis));
      numbers_.emplace(axis, first.number(axis));
    }
  }
  for (const Axis axis : packet_axes()) {
    if (space_.layout(axis).classes != nullptr) {
      add_class_axis(axis, points);
    } else {
      add_bit_axis(axis);
    }
  }
  bits_.emplace(Axis::kConnmark, connmark_bits);
  numbers_.emplace(Axis::kConnmark, bits_as_number(Axis::kConnmark, connmark_bits));
  add_bit_axis(Axis::kConnmarkBefore);
}

Term AxisTerms::bits_as_number(Axis axis, const std::vector<Term>& bits) {
  Term number = solver_.number(0, 32);
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const u128 one = u128{1} << space_.layout(axis).bits[i];
    number = solver_.bit_xor(
        number, solver_.choose(bits[i], solver_.number(one, 32), solver_.number(0, 32)));
  }
  return number;
}

void AxisTerms::add_bit_axis(Axis axis) {
  std::vector<Term> bits;
  for (std::size_t i = 0; i < space_.layout(axis).bits.size(); ++i) {
    bits.push_back(solver_.fresh_boolean(name(axis)));
  }
  // Options are no number: their kinds go up to 255.
  if (axis != Axis::kTcpOptions) numbers_.emplace(axis, bits_as_number(axis, bits));
  bits_.emplace(axis, std::move(bits));
}

SetTranslator::SetTranslator(Space& space, Solver& solver, const AxisTerms& axes)
    : space_(space), solver_(solver), axes_(axes) {}

Set SetTranslator::project(Set set) {
  std::vector<Axis> foreign;
  for (std::size_t a = 0; a < kAxisCount; ++a) {
    const auto axis = static_cast<Axis>(a);
    const auto among = [&](std::span<const Axis> axes) {
      return std::ranges::find(axes, axis) != axes.end();
    };
    const bool mark = axis == Axis::kConnmark || axis == Axis::kConnmarkBefore;
    if (!mark && !among(flow_axes()) && !among(packet_axes())) {
      foreign.push_back(axis);
    }
  }
  return space_.exists(set, foreign);
}

Term SetTranslator::term(Set set) {
  return term(project(set), axes_.bits(Axis::kConnmark), before_);
}

Term SetTranslator::term_after(Set set, const std::vector<Term>& connmark_bits) {
  std::vector<std::uint32_t> key;
  for (const Term t : connmark_bits) key.push_back(t.id);
  return term(project(set), connmark_bits, after_[key]);
}

// Children first, without recursion deeper than the variables are many.
Term SetTranslator::term(Set set, const std::vector<Term>& connmark_bits, Memo& memo) {
  if (set == kNothing) return Solver::kFalse;
  if (set == kEverything) return Solver::kTrue;
  if (const auto at = memo.find(set.id); at != memo.end()) return at->second;
  const Bdd::Node node = space_.bdd().node(set);
  const Term condition = variable(node.variable, connmark_bits);
  const Term high =
      condition == Solver::kFalse ? Solver::kFalse : term({node.high}, connmark_bits, memo);
  const Term low =
      condition == Solver::kTrue ? Solver::kFalse : term({node.low}, connmark_bits, memo);
  const Term result = solver_.named(solver_.choose(condition, high, low), "set");
  memo.emplace(set.id, result);
  return result;
}

Term SetTranslator::variable(unsigned number, const std::vector<Term>& connmark_bits) {
  const auto meaning = space_.meaning(number);
  POSTERN_CHECK(meaning.has_value(), "a finished set mentions no scratch variable");
  const auto& [axis, position] = *meaning;
  if (axis == Axis::kConnmark) return connmark_bits.at(position);
  if (space_.layout(axis).classes == nullptr) return axes_.bits(axis).at(position);
  return class_bit(axis, position);
}

Term SetTranslator::class_bit(Axis axis, unsigned position) {
  const auto at = class_bits_.find({axis, position});
  if (at != class_bits_.end()) return at->second;
  const AxisLayout& layout = space_.layout(axis);
  const unsigned shift = static_cast<unsigned>(layout.variables.size()) - 1 - position;
  std::vector<std::uint32_t> members;
  for (std::uint32_t c = 0; c < layout.classes->count(); ++c) {
    if ((c >> shift & 1) != 0) members.push_back(c);
  }
  std::vector<Term> parts;
  if (is_card(axis)) {
    parts = card_bit(axis, members);
  } else if (is_interface(axis)) {
    for (const std::uint32_t c : members) {
      parts.push_back(solver_.in_range(axes_.value(axis), c, c));
    }
  } else {
    for (const auto& c : layout.classes->classes) {
      if (!c.complete) throw NotListable{};
    }
    for (const Interval& i : values_of(*layout.classes, members)) {
      parts.push_back(solver_.in_range(axes_.value(axis), i.lo, i.hi));
    }
  }
  const Term result = solver_.named(solver_.any(parts), name(axis));
  class_bits_.emplace(std::pair(axis, position), result);
  return result;
}

// The cards that have one of the codes, each with the addresses where it has it. Code 0 is none.
std::vector<Term> SetTranslator::card_bit(Axis axis, const std::vector<std::uint32_t>& codes) {
  const Classes& classes = space_.classes();
  const Axis address = axis == Axis::kInitiatorMac ? Axis::kInitiator : Axis::kResponder;
  const auto value_in = [&](Axis of, const FieldClasses& from,
                            const std::vector<std::uint32_t>& numbers) {
    std::vector<Term> parts;
    for (const std::uint32_t n : numbers) {
      if (!from.classes[n].complete) throw NotListable{};
    }
    for (const Interval& i : values_of(from, numbers)) {
      parts.push_back(solver_.in_range(axes_.value(of), i.lo, i.hi));
    }
    return solver_.any(parts);
  };
  std::vector<Term> parts;
  const auto& everywhere = classes.mac_codes.everywhere;
  for (const MacCodes::Group& group : classes.mac_codes.groups) {
    std::vector<std::uint32_t> cards, addresses;
    for (const std::uint32_t code : codes) {
      const std::size_t at = code - 1;
      if (at < everywhere.size()) {
        cards.push_back(everywhere[at]);
      } else if (at - everywhere.size() < group.apart.size()) {
        cards.push_back(group.apart[at - everywhere.size()]);
      }
    }
    if (cards.empty()) continue;
    for (std::uint32_t a = 0; a < group.addresses.size(); ++a) {
      if (group.addresses[a]) addresses.push_back(a);
    }
    std::ranges::sort(cards);
    parts.push_back(solver_.both(value_in(address, classes.address, addresses),
                                 value_in(axis, classes.mac, cards)));
  }
  return parts;
}

std::string broken_partition(const Space& space) {
  for (const auto axes : {flow_axes(), packet_axes()}) {
    for (const Axis axis : axes) {
      const FieldClasses* classes = space.layout(axis).classes;
      const auto field = field_of(axis);
      if (classes == nullptr || !field) continue;
      std::vector<Interval> all;
      bool complete = true;
      for (const ValueClass& c : classes->classes) {
        all.insert(all.end(), c.intervals.begin(), c.intervals.end());
        complete = complete && c.complete;
      }
      if (!complete) continue;  // the translation refuses these itself
      std::ranges::sort(all, {}, &Interval::lo);
      u128 next = 0;
      const u128 top = low_bits(field_width(*field, space.classes().family));
      for (const Interval& i : all) {
        if (i.lo != next || i.hi < i.lo) return std::string(name(axis));
        next = i.hi + 1;
      }
      if (all.empty() || all.back().hi != top) return std::string(name(axis));
    }
  }
  return {};
}

}  // namespace postern
