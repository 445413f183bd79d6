// Findings for programs: {"schema": "postern/1", "files": [...]}. Covered by
// tests/unit/report_test.cpp.
#include <nlohmann/json.hpp>

#include "analyzer/explain.hpp"
#include "analyzer/report/report.hpp"

namespace postern {
namespace {

using Json = nlohmann::ordered_json;

Json intervals_json(const IntervalList& intervals) {
  Json list = Json::array();
  for (const auto& [low, high] : intervals) {
    list.push_back({static_cast<std::uint64_t>(low), static_cast<std::uint64_t>(high)});
  }
  return list;
}

// Text of a ruleset may hold bytes that are not UTF-8; JSON may not.
template <class AnyJson>
std::string dump(const AnyJson& json, int indent) {
  return json.dump(indent, ' ', false, AnyJson::error_handler_t::replace);
}

Json to_ordered(const nlohmann::json& json) { return Json::parse(dump(json, -1)); }

void add_place(Json& json, const Place& place, const SourceFile& source) {
  const Position position = source.position(place.span.begin);
  json["line"] = position.line;
  json["column"] = position.column;
  json["table"] = place.table ? Json(text(*place.table)) : Json(nullptr);
  json["chain"] = place.chain.empty() ? Json(nullptr) : Json(place.chain);
  json["rule"] = place.text;
  json["number"] = place.number == 0 ? Json(nullptr) : Json(place.number);
}

Json related_json(const Related& related, const SourceFile& source) {
  Json json;
  if (!related.id.empty()) json["id"] = related.id;
  add_place(json, related.place, source);
  json["message"] = related.message;
  return json;
}

Json finding_json(const Finding& finding, const SourceFile& source) {
  Json json;
  json["id"] = finding.id;
  const CheckPage* page = find_check_page(finding.id);
  json["name"] = page == nullptr ? "" : page->name;
  json["severity"] = severity_word(finding.severity);
  add_place(json, finding.place, source);
  json["message"] = finding.message;
  json["reasons"] = finding.reasons;
  json["help"] = finding.help;
  json["related"] = Json::array();
  for (const Related& related : finding.related) {
    json["related"].push_back(related_json(related, source));
  }
  if (finding.hole) {
    json["sport"] = intervals_json(finding.hole->sport);
    json["opens"] = intervals_json(finding.hole->opens);
    json["opens_only_thus"] = intervals_json(finding.hole->opens_only_thus);
  }
  if (finding.answer) {
    const nlohmann::json keys = witness_json(*finding.answer);
    for (const auto& [key, value] : keys.items()) json[key] = to_ordered(value);
    json["query"] = finding.answer->query;
    json["reproduction"] = reproduction(*finding.answer);
  }
  return json;
}

Json error_json(const Diagnostic& error, const SourceFile& source) {
  const Position position = source.position(error.span.begin);
  return {{"code", error.code},
          {"line", position.line},
          {"column", position.column},
          {"message", error.message},
          {"help", error.help}};
}

Json open_json(const OpenQuestion& question, const FileReport& report) {
  Json json{{"id", question.id},
            {"question", question.question},
            {"why", question.why},
            {"met_nat", question.met_nat}};
  if (question.span.end > 0) json["line"] = report.source->position(question.span.begin).line;
  return json;
}

Json file_json(const FileReport& report) {
  Json json;
  json["file"] = report.file;
  json["family"] = report.family ? Json(static_cast<int>(*report.family)) : Json(nullptr);
  json["backend"] = report.family ? Json(text(report.backend)) : Json(nullptr);
  json["findings"] = Json::array();
  for (const Finding& finding : report.lint.findings) {
    json["findings"].push_back(finding_json(finding, *report.source));
  }
  json["errors"] = Json::array();
  if (!report.unreadable.empty()) {
    json["errors"].push_back({{"code", "unreadable"}, {"message", report.unreadable}});
  }
  for (const Diagnostic& error : report.errors) {
    json["errors"].push_back(error_json(error, *report.source));
  }
  json["incomplete"] = Json::array();
  for (const OpenQuestion& question : report.lint.open) {
    json["incomplete"].push_back(open_json(question, report));
  }
  const LintStatistics& statistics = report.lint.statistics;
  json["statistics"] = {{"answered", statistics.answered},
                        {"unknown", statistics.unknown},
                        {"met_nat", statistics.met_nat}};
  return json;
}

}  // namespace

std::string lint_json(const std::vector<FileReport>& reports) {
  Json files = Json::array();
  for (const FileReport& report : reports) files.push_back(file_json(report));
  const Json document{{"schema", "postern/1"}, {"files", files}};
  return dump(document, 2) + "\n";
}

}  // namespace postern
