#include "symbolic/sets/cuts.hpp"

#include "base/overloaded.hpp"

namespace postern {
namespace {

// What the rules can do to marks: which bits may become 1, and which flow between the two.
struct MarkFlow {
  std::uint32_t set_mark = 0, set_connmark = 0;  // may become 1 by a constant
  std::uint32_t saved = 0, restored = 0;         // copied mark -> connmark, connmark -> mark
};

MarkFlow mark_flow(const Program& program) {
  MarkFlow flow;
  for (const ProgramRule& rule : program.rules()) {
    const Effect* effect = std::get_if<Effect>(&rule.rule->action);
    if (effect == nullptr) continue;
    std::visit(
        Overloaded{[&](const SetMark& e) { flow.set_mark |= e.value; },
                   [&](const SetConnmark& e) {
                     switch (e.op) {
                       case SetConnmark::Op::kSet:
                         flow.set_connmark |= e.value;
                         break;
                       case SetConnmark::Op::kSave:
                         flow.saved |= e.nfmask;
                         break;
                       case SetConnmark::Op::kRestore:
                         flow.restored |= e.ctmask;
                         break;
                     }
                   },
                   [&](const ToSocket& e) { flow.set_mark |= e.mark.value; },
                   [&](const OpaqueTarget&) { flow.set_mark = flow.set_connmark = 0xffffffff; },
                   [](const auto&) {}},
        *effect);
  }
  return flow;
}

}  // namespace

Field class_field(Field field) {
  switch (field) {
    case Field::kDestination:
    case Field::kCtOriginalSource:
    case Field::kCtOriginalDestination:
    case Field::kCtReplySource:
    case Field::kCtReplyDestination:
      return Field::kSource;
    case Field::kDestinationPort:
    case Field::kCtOriginalSourcePort:
    case Field::kCtOriginalDestinationPort:
    case Field::kCtReplySourcePort:
    case Field::kCtReplyDestinationPort:
      return Field::kSourcePort;
    case Field::kCtProtocol:
      return Field::kProtocol;
    case Field::kDestinationType:
      return Field::kSourceType;
    default:
      return field;
  }
}

unsigned width_of(Field field, Family family) {
  return class_field(field) == Field::kSource ? address_bits(family) : info(field).width;
}

void CutCollector::masked(const Masked& test) {
  FieldCuts& cuts = of(class_field(test.field));
  const u128 full = low_bits(width_of(test.field, family_));
  const u128 mask = test.mask & full, rest = full & ~mask;
  if ((rest & (rest + 1)) == 0) {
    cuts.interval(test.value & full, (test.value & full) | rest);
  } else {
    cuts.scattered.push_back({test.value & full, mask});
  }
}

void CutCollector::add(const Predicate& predicate) {
  const auto below = [&](const std::vector<PredicatePtr>& operands) {
    for (const PredicatePtr& p : operands) add(*p);
  };
  const auto marks = [&](Field field, u128 bits) {
    if (field == Field::kMark) mark_bits |= static_cast<std::uint32_t>(bits);
    if (field == Field::kCtMark) connmark_bits |= static_cast<std::uint32_t>(bits);
  };
  std::visit(
      Overloaded{[](const Const&) {}, [](const Opaque&) {},
                 [&](const InRange& n) {
                   marks(n.field, low_bits(32));
                   if (n.lo <= n.hi) of(class_field(n.field)).interval(n.lo, n.hi);
                 },
                 [&](const Masked& n) {
                   marks(n.field, n.mask);
                   masked(n);
                 },
                 [&](const InterfaceIs& n) { interfaces.insert(n.pattern); },
                 [&](const TcpOption& n) { tcp_options.insert(n.kind); },
                 [&](const Not& n) { add(*n.operand); }, [&](const All& n) { below(n.operands); },
                 [&](const Any& n) { below(n.operands); }},
      predicate.node);
}

MarkBits followed_marks(const Program& program, std::uint32_t tested_mark,
                        std::uint32_t tested_connmark, std::uint32_t initial) {
  const MarkFlow flow = mark_flow(program);
  std::uint32_t mark = tested_mark, connmark = tested_connmark;
  std::uint32_t one_mark = flow.set_mark | initial, one_connmark = flow.set_connmark;
  for (unsigned round = 0; round < 2; ++round) {  // bits never change places: two rounds suffice
    connmark |= mark & flow.restored;
    mark |= connmark & flow.saved;
    one_connmark |= one_mark & flow.saved;
    one_mark |= one_connmark & flow.restored;
  }
  return {mark & one_mark, connmark & one_connmark, mark != 0};
}

}  // namespace postern
