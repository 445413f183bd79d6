// Reads the tables of corpus/matches and corpus/targets. Their lines:
//
//   @ 46 filter INPUT            family or families, table and chain of the rules that follow
//   RULE ; CANONICAL ; VERDICT   what iptables-save prints ("=": the rule itself), and
//                                OK    it loads
//                                KEEP  it loads, but iptables-save prints something else, which
//                                means
//                                      something else or is not portable; ours is CANONICAL
//                                STRICT  iptables-restore takes it, postern refuses it
//                                LAX   iptables-restore refuses it, postern takes it
//                                FAIL  iptables-restore --test refuses it
//                                LOAD  --test takes it, the kernel refuses it
//   match RULE ;; WORDS -> yes | no | unknown | drop
//                                whether a packet matches; WORDS are field=value (net/field.hpp),
//                                in=, out= (interfaces) and option= (a TCP option)
//   # remark
//
// Written from what the installed iptables answers (tests/kernel/vocabulary_test.cpp asks it
// again).
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "net/family.hpp"

namespace postern {

struct TableLine {
  std::string file;
  int line = 0;
  std::vector<Family> families;
  std::string table, chain;
  std::string rule;
  std::string canonical, verdict;             // of a rule line
  std::map<std::string, std::string> packet;  // of a match line
  std::string truth;                          // of a match line; else empty

  std::string place() const { return file + ":" + std::to_string(line) + ": " + rule; }
  std::string text() const { return "*" + table + "\n-A " + chain + " " + rule + "\nCOMMIT\n"; }
};

inline std::string trim(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

inline void read_match_line(const std::string& text, TableLine& line) {
  const auto packet = text.find(";;");
  const auto arrow = text.rfind("->");
  if (packet == std::string::npos || arrow == std::string::npos || arrow < packet) {
    throw std::runtime_error(line.place() + "not \"match RULE ;; WORDS -> TRUTH\"");
  }
  line.rule = trim(text.substr(0, packet));
  line.truth = trim(text.substr(arrow + 2));
  std::istringstream words(text.substr(packet + 2, arrow - packet - 2));
  for (std::string word; words >> word;) {
    const auto equal = word.find('=');
    line.packet[word.substr(0, equal)] = equal == std::string::npos ? "" : word.substr(equal + 1);
  }
}

inline void read_rule_line(const std::string& text, TableLine& line) {
  const auto last = text.rfind(';');
  const auto first = last == std::string::npos ? last : text.rfind(';', last - 1);
  if (first == std::string::npos) {
    throw std::runtime_error(line.place() + text + ": not \"RULE ; CANONICAL ; VERDICT\"");
  }
  line.rule = trim(text.substr(0, first));
  line.canonical = trim(text.substr(first + 1, last - first - 1));
  if (line.canonical == "=") line.canonical = line.rule;
  line.verdict = trim(text.substr(last + 1));
}

inline std::vector<TableLine> read_table(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::vector<TableLine> lines;
  TableLine current;
  current.file = path.filename().string();
  for (std::string text; std::getline(in, text);) {
    ++current.line;
    if (trim(text).empty() || text[0] == '#') continue;
    if (text[0] == '@') {
      std::istringstream words(text.substr(1));
      std::string families;
      words >> families >> current.table >> current.chain;
      current.families.clear();
      for (const char c : families) {
        current.families.push_back(c == '4' ? Family::kIpv4 : Family::kIpv6);
      }
      continue;
    }
    TableLine line = current;
    if (text.starts_with("match ")) {
      read_match_line(text.substr(6), line);
    } else {
      read_rule_line(text, line);
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

// Every line of every table below corpus/, in the order of the file names.
inline std::vector<TableLine> read_tables(const std::filesystem::path& corpus) {
  std::vector<std::filesystem::path> files;
  for (const char* kind : {"matches", "targets"}) {
    for (const auto& entry : std::filesystem::directory_iterator(corpus / kind)) {
      if (entry.path().extension() == ".t") files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  std::vector<TableLine> all;
  for (const auto& file : files) {
    for (TableLine& line : read_table(file)) all.push_back(std::move(line));
  }
  return all;
}

}  // namespace postern
