// Answers as JSON: design.md section 5, docs/schema/postern-1.json.
#include <fmt/format.h>

#include "analyzer/answer.hpp"
#include "scenario/packet_json.hpp"

namespace postern {
namespace {

using nlohmann::json;

bool is_address(Field field) { return field == Field::kSource || field == Field::kDestination; }

// Numbers as numbers; addresses as their text.
json value_json(Field field, Family family, u128 value) {
  if (is_address(field)) return Address{family, value}.text();
  return static_cast<std::uint64_t>(value);
}

json box_json(const FieldBox& box, Family family) {
  json result = json::object();
  for (const auto& [field, intervals] : box) {
    json list = json::array();
    for (const auto& [lo, hi] : intervals) {
      list.push_back({value_json(field, family, lo), value_json(field, family, hi)});
    }
    result[info(field).name] = std::move(list);
  }
  return result;
}

json rule_json(const MatchedRule& rule) {
  return {{"table", text(rule.table)},
          {"chain", rule.chain},
          {"number", rule.number},
          {"line", rule.line},
          {"text", rule.text}};
}

json step_json(const WitnessStep& step) {
  json result = write_packet(step.packet);
  result["path"] = text(step.path);
  result["sender"] = step.sender;
  result["verdict"] = text(step.verdict);
  if (step.wait_ms) result["wait_before_ms"] = *step.wait_ms;
  json states = json::object();
  for (const auto& [hook, state] : step.ctstate) states[text(hook)] = text(state);
  result["ctstate"] = std::move(states);
  result["rules"] = json::array();
  for (const auto& rule : step.rules) result["rules"].push_back(rule_json(rule));
  result["conntrack"] = json::array();
  for (const auto& entry : step.entries) result["conntrack"].push_back(to_json(entry));
  return result;
}

Family family_of(const Answer& answer) {
  return answer.witness.empty() ? answer.family : answer.witness.front().packet.family();
}

}  // namespace

json witness_json(const Answer& answer) {
  json result{{"conditional", answer.conditional},
              {"assumptions", answer.assumptions},
              {"replayed", answer.replayed}};
  if (answer.on_kernel) result["on_kernel"] = to_json(*answer.on_kernel);
  if (answer.witness.empty()) return result;
  json packets = json::array();
  for (const auto& step : answer.witness) packets.push_back(step_json(step));
  result["witness"] = {{"packets", std::move(packets)}};
  const auto commands = reproduction(answer);
  if (!commands.empty()) result["witness"]["reproduce"] = commands;
  result["generalised"] = box_json(answer.generalised, family_of(answer));
  if (const std::string but = box_exception(answer, answer.generalised); !but.empty()) {
    result["generalised_except"] = but;
  }
  return result;
}

json to_json(const Answer& answer) {
  json result = witness_json(answer);
  result["query"] = answer.query;
  result["file"] = answer.file;
  result["verb"] = text(answer.verb);
  result["path"] = text(answer.path);
  result["backend"] = text(answer.backend);
  result["answer"] = text(answer.truth);
  result["reasons"] = answer.reasons;
  if (answer.completeness) {
    const Completeness& c = *answer.completeness;
    result["completeness"] = {
        {"kind", c.kind}, {"by", c.by}, {"depth", c.depth}, {"certified", c.certified}};
  }
  if (!answer.witness.empty()) {
    result["within_question"] = box_json(answer.within_question, family_of(answer));
    if (const std::string but = box_exception(answer, answer.within_question); !but.empty()) {
      result["within_question_except"] = but;
    }
  }
  if (!answer.found.empty()) {
    json found = json::object();
    for (const auto& [field, value] : answer.found) {
      found[info(field).name] = value_json(field, family_of(answer), value);
    }
    result["found"] = std::move(found);
  }
  return result;
}

}  // namespace postern
