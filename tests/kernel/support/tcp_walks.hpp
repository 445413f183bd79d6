// The rows and columns of the TCP tables in kernel-facts, and how a fresh flow gets into each row.
// Covered by campaign_test.cpp.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace postern::kernel {

// A cell of the transition tables in kernel-facts, that a packet is meant to meet.
struct TcpCellAim {
  std::string row;     // "SYN_RECV(sim)"
  bool reply = false;  // which side sends the packet
  std::string column;  // "SYN", "SYN+new", "SYN,ACK", "ACK", "FIN,ACK", "RST", "RST,ACK"
  auto operator<=>(const TcpCellAim&) const = default;
};

// Who says what ('o' original, 'r' reply).
struct TcpStep {
  char side;
  std::uint8_t flags;
};
// By row: the packets that bring a fresh flow there.
const std::map<std::string, std::vector<TcpStep>>& tcp_walks();
std::uint8_t flags_of_column(const std::string& column);

// Every measured cell, by the name of its table: "loose1", "loose0", "liberal"
// (corpus/conntrack/tcp-*.table).
const std::map<std::string, std::vector<TcpCellAim>>& measured_cells();

}  // namespace postern::kernel
