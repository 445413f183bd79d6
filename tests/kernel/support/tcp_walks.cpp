// The walks, and reading the tables. Covered by campaign_test.cpp.
#include "tests/kernel/support/tcp_walks.hpp"

#include <fstream>
#include <sstream>

#include "net/field.hpp"

namespace postern::kernel {
namespace {

using namespace tcp_flag;

std::map<std::string, std::vector<TcpCellAim>> read_cells() {
  std::map<std::string, std::vector<TcpCellAim>> made;
  const std::pair<const char*, const char*> files[] = {
      {"loose1", "tcp-loose1"}, {"loose0", "tcp-loose0"}, {"liberal", "tcp-liberal"}};
  for (const auto& [name, file] : files) {
    std::ifstream in(std::string(POSTERN_SOURCE_DIR) + "/corpus/conntrack/" + file + ".table");
    std::vector<std::string> columns;
    for (std::string line; std::getline(in, line);) {
      if (line.empty() || line[0] == '#') continue;
      std::istringstream words(line);
      std::string row, side, word;
      words >> row >> side;
      if (row == "state") {
        while (words >> word) columns.push_back(word);
        continue;
      }
      for (const std::string& column : columns) {
        if (words >> word && word != ".") made[name].push_back({row, side == "reply", column});
      }
    }
  }
  return made;
}

}  // namespace

const std::map<std::string, std::vector<TcpStep>>& tcp_walks() {
  static const std::vector<TcpStep> kEstablished{{'o', kSyn}, {'r', kSyn | kAck}, {'o', kAck}};
  static const auto kMade = [] {
    const auto then = [](std::vector<TcpStep> more) {
      std::vector<TcpStep> all = kEstablished;
      all.insert(all.end(), more.begin(), more.end());
      return all;
    };
    constexpr std::uint8_t kFinAck = kFin | kAck;
    return std::map<std::string, std::vector<TcpStep>>{
        {"NONE", {}},
        {"SYN_SENT", {{'o', kSyn}}},
        {"SYN_RECV", {{'o', kSyn}, {'r', kSyn | kAck}}},
        {"ESTABLISHED", kEstablished},
        {"FIN_WAIT", then({{'o', kFinAck}})},
        {"CLOSE_WAIT", then({{'o', kFinAck}, {'r', kAck}})},
        {"LAST_ACK", then({{'o', kFinAck}, {'r', kAck}, {'r', kFinAck}})},
        {"TIME_WAIT", then({{'o', kFinAck}, {'r', kAck}, {'r', kFinAck}, {'o', kAck}})},
        {"CLOSE(o-rst)", then({{'o', kRst}})},
        {"CLOSE(r-rst)", then({{'r', kRst}})},
        {"SYN_SENT2", {{'o', kSyn}, {'r', kSyn}}},
        {"SYN_RECV(sim)", {{'o', kSyn}, {'r', kSyn}, {'o', kSyn | kAck}}},
        {"FIN_WAIT(r)", then({{'r', kFinAck}})},
        {"CLOSE_WAIT(r)", then({{'r', kFinAck}, {'o', kAck}})},
        {"LAST_ACK(r)", then({{'r', kFinAck}, {'o', kAck}, {'o', kFinAck}})},
        {"TIME_WAIT(r)", then({{'r', kFinAck}, {'o', kAck}, {'o', kFinAck}, {'r', kAck}})},
        {"pickup", {{'o', kAck}}},
    };
  }();
  return kMade;
}

std::uint8_t flags_of_column(const std::string& column) {
  if (column == "SYN" || column == "SYN+new") return kSyn;
  if (column == "SYN,ACK") return kSyn | kAck;
  if (column == "ACK") return kAck;
  if (column == "FIN,ACK") return kFin | kAck;
  return column == "RST" ? kRst : kRst | kAck;
}

const std::map<std::string, std::vector<TcpCellAim>>& measured_cells() {
  static const auto kCells = read_cells();
  return kCells;
}

}  // namespace postern::kernel
