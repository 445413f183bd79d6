// A third reading of predicates, for tests only: three-valued, over a packet given as words. Fields
// that are not given are 0, ctstate is INVALID, there is no interface and no TCP option.
#pragma once

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>

#include "base/overloaded.hpp"
#include "meaning/predicate.hpp"

namespace postern {

enum class Truth { kNo, kUnknown, kYes };

class WordPacket {
 public:
  explicit WordPacket(std::map<std::string, std::string> words) : words_(std::move(words)) {}

  u128 value(Field field) const {
    const auto it = words_.find(std::string(info(field).name));
    return it == words_.end() ? 0 : number(it->second);
  }
  std::string word(const std::string& name) const {
    const auto it = words_.find(name);
    return it == words_.end() ? "" : it->second;
  }
  // Throws on words that are no field: a misspelt word would test nothing.
  void check() const {
    for (const auto& [name, value] : words_) {
      const bool field =
          std::ranges::any_of(kFields, [&](const FieldInfo& i) { return i.name == name; });
      if (!field && name != "in" && name != "out" && name != "option") {
        throw std::runtime_error("no field is called " + name);
      }
      if (field) number(value);
    }
  }

 private:
  static u128 number(const std::string& text) {
    static const std::map<std::string, int> kStates{
        {"INVALID", 0}, {"NEW", 1}, {"ESTABLISHED", 2}, {"RELATED", 3}, {"UNTRACKED", 4}};
    if (const auto it = kStates.find(text); it != kStates.end())
      return static_cast<u128>(it->second);
    if (const auto address = Address::parse(text)) return address->value;
    return std::stoull(text, nullptr, 0);
  }

  std::map<std::string, std::string> words_;
};

inline Truth truth(const Predicate& predicate, const WordPacket& packet) {
  const auto of = [](bool value) { return value ? Truth::kYes : Truth::kNo; };
  return std::visit(
      Overloaded{
          [&](const Const& n) { return of(n.value); },
          [&](const InRange& n) {
            return of(packet.value(n.field) >= n.lo && packet.value(n.field) <= n.hi);
          },
          [&](const Masked& n) { return of((packet.value(n.field) & n.mask) == n.value); },
          [&](const InterfaceIs& n) {
            return of(n.pattern.matches(packet.word(n.output ? "out" : "in")));
          },
          [&](const TcpOption& n) { return of(packet.word("option") == std::to_string(n.kind)); },
          [&](const Opaque&) { return Truth::kUnknown; },
          [&](const Not& n) {
            const Truth inner = truth(*n.operand, packet);
            return inner == Truth::kUnknown ? inner : of(inner == Truth::kNo);
          },
          [&](const All& n) {
            Truth result = Truth::kYes;
            for (const auto& operand : n.operands)
              result = std::min(result, truth(*operand, packet));
            return result;
          },
          [&](const Any& n) {
            Truth result = Truth::kNo;
            for (const auto& operand : n.operands)
              result = std::max(result, truth(*operand, packet));
            return result;
          }},
      predicate.node);
}

}  // namespace postern
