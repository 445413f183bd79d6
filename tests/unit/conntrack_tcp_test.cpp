// Every cell of the measured TCP tables (corpus/conntrack/*.table) against the engine's tracker.
//
// An entry is brought into the row's state by honest packets, then one probe follows: SYN with the
// side's own ISN or another ("SYN+new"), everything else with the next number of its side. On the
// way to SYN_RECV(sim) the SYN,ACK carries the number after its SYN's, as it did in the
// measurement: the probes of that side then begin one byte too far.
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "conntrack_packets.hpp"

namespace postern {
namespace {

using namespace test;

const std::map<std::string, std::function<void(Conversation&)>>& drivers() {
  static const auto established = [](Conversation& c) { c.handshake(); };
  static const std::map<std::string, std::function<void(Conversation&)>> kDrivers{
      {"NONE", [](Conversation&) {}},
      {"SYN_SENT", [](Conversation& c) { c.from_client(kSyn); }},
      {"SYN_RECV", [](Conversation& c) { c.from_client(kSyn), c.from_server(kSyn | kAck); }},
      {"ESTABLISHED", established},
      {"FIN_WAIT", [](Conversation& c) { established(c), c.from_client(kFin | kAck); }},
      {"CLOSE_WAIT",
       [](Conversation& c) { established(c), c.from_client(kFin | kAck), c.from_server(kAck); }},
      {"LAST_ACK",
       [](Conversation& c) {
         established(c), c.from_client(kFin | kAck), c.from_server(kAck);
         c.from_server(kFin | kAck);
       }},
      {"TIME_WAIT",
       [](Conversation& c) {
         established(c), c.from_client(kFin | kAck), c.from_server(kAck);
         c.from_server(kFin | kAck), c.from_client(kAck);
       }},
      {"FIN_WAIT(r)", [](Conversation& c) { established(c), c.from_server(kFin | kAck); }},
      {"CLOSE_WAIT(r)",
       [](Conversation& c) { established(c), c.from_server(kFin | kAck), c.from_client(kAck); }},
      {"LAST_ACK(r)",
       [](Conversation& c) {
         established(c), c.from_server(kFin | kAck), c.from_client(kAck);
         c.from_client(kFin | kAck);
       }},
      {"TIME_WAIT(r)",
       [](Conversation& c) {
         established(c), c.from_server(kFin | kAck), c.from_client(kAck);
         c.from_client(kFin | kAck), c.from_server(kAck);
       }},
      {"CLOSE(o-rst)", [](Conversation& c) { established(c), c.from_client(kRst); }},
      {"CLOSE(r-rst)", [](Conversation& c) { established(c), c.from_server(kRst); }},
      {"SYN_SENT2", [](Conversation& c) { c.from_client(kSyn), c.from_server(kSyn); }},
      {"SYN_RECV(sim)",
       [](Conversation& c) {
         c.from_client(kSyn), c.from_server(kSyn);
         c.client.isn = c.client.next;
         c.from_client(kSyn | kAck);
         c.client.isn = c.client.next - 2;
       }},
      {"pickup", [](Conversation& c) { c.from_client(kAck); }},
  };
  return kDrivers;
}

std::string letters(const Conversation& conversation, bool reply_probe) {
  static const std::map<TcpState, std::string> kInitials{
      {TcpState::kSynSent, "SS"},     {TcpState::kSynSent2, "S2"}, {TcpState::kSynRecv, "SR"},
      {TcpState::kEstablished, "ES"}, {TcpState::kFinWait, "FW"},  {TcpState::kCloseWait, "CW"},
      {TcpState::kLastAck, "LA"},     {TcpState::kTimeWait, "TW"}, {TcpState::kClose, "CL"}};
  const auto entry = conversation.entry();
  if (!entry) return "-";
  const bool swapped = entry->original.source == conversation.server.address;
  EXPECT_FALSE(swapped && !reply_probe);
  return kInitials.at(entry->tcp.state) + (swapped ? "*" : "");
}

PacketView probe(Conversation& c, bool reply, const std::string& kind) {
  TcpEnd& from = reply ? c.server : c.client;
  TcpEnd& to = reply ? c.client : c.server;
  if (kind == "SYN") return tcp_packet(from, to, kSyn, from.isn, 0);
  if (kind == "SYN+new") return tcp_packet(from, to, kSyn, from.isn + 1000000, 0);
  if (kind == "SYN,ACK") return tcp_packet(from, to, kSyn | kAck, from.isn, to.next);
  if (kind == "ACK") return tcp_packet(from, to, kAck, from.next, to.next);
  if (kind == "FIN,ACK") return tcp_packet(from, to, kFin | kAck, from.next, to.next);
  if (kind == "RST") return tcp_packet(from, to, kRst, from.next, 0);
  EXPECT_EQ(kind, "RST,ACK");
  return tcp_packet(from, to, kRst | kAck, from.next, to.next);
}

// The cell as the tracker gives it, in the words of the table.
std::string answer(const ConntrackConfig& config, const std::string& state, bool reply,
                   const std::string& kind, std::uint8_t extra_flags) {
  Conversation conversation(config);
  drivers().at(state)(conversation);
  const std::string reached = std::string(text(conversation.state()));
  EXPECT_EQ(reached, state == "pickup" ? "ESTABLISHED" : state.substr(0, state.find('(')));
  auto packet = probe(conversation, reply, kind);
  packet.tcp_flags |= extra_flags;
  const auto attachment = pass(conversation.table, packet);
  const std::map<CtState, std::string> seen{
      {CtState::kNew, "N"}, {CtState::kEstablished, "E"}, {CtState::kInvalid, "I"}};
  return seen.at(attachment.state) + ":" + letters(conversation, reply);
}

struct Cell {
  std::string state, side, kind, expected;
};

std::vector<Cell> read_table(const std::string& name) {
  std::ifstream file(std::string(POSTERN_SOURCE_DIR) + "/corpus/conntrack/" + name);
  EXPECT_TRUE(file) << name;
  std::vector<std::string> kinds;
  std::vector<Cell> cells;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words(line);
    std::string state, side, word;
    words >> state >> side;
    for (std::size_t column = 0; words >> word; ++column) {
      if (state == "state") {
        kinds.push_back(word);
      } else if (word != ".") {
        cells.push_back({state, side, kinds.at(column), word});
      }
    }
  }
  return cells;
}

void compare(const std::string& name, const ConntrackConfig& config, std::size_t cells) {
  const auto table = read_table(name);
  EXPECT_EQ(table.size(), cells);
  for (const auto& cell : table) {
    for (const std::uint8_t extra : {std::uint8_t{0}, tcp_flag::kPsh,
                                     static_cast<std::uint8_t>(tcp_flag::kEce | tcp_flag::kCwr)}) {
      EXPECT_EQ(answer(config, cell.state, cell.side == "reply", cell.kind, extra), cell.expected)
          << name << ": " << cell.state << " / " << cell.side << " " << cell.kind << " flags +"
          << int{extra};
    }
  }
}

TEST(ConntrackTcp, TableOfTheDefaults) { compare("tcp-loose1.table", {}, 32 * 7 + 5 + 5); }

TEST(ConntrackTcp, TableWithoutLoose) {
  ConntrackConfig config;
  config.tcp_loose = false;
  compare("tcp-loose0.table", config, 6 * 7);
}

TEST(ConntrackTcp, TableOfBeLiberal) {
  ConntrackConfig config;
  config.tcp_be_liberal = true;
  compare("tcp-liberal.table", config, 32 * 6);
}

TEST(ConntrackTcp, InvalidFlagSetsChangeNothingInAnyState) {
  for (const auto& [state, drive] : drivers()) {
    for (int flags = 0; flags < 256; ++flags) {
      if (tcp_flags_valid(static_cast<std::uint8_t>(flags))) continue;
      Conversation c;
      drive(c);
      const auto before = c.table.report();
      const auto packet = tcp_packet(c.client, c.server, static_cast<std::uint8_t>(flags),
                                     c.client.next, c.server.next);
      EXPECT_EQ(pass(c.table, packet).state, CtState::kInvalid) << state << " " << flags;
      EXPECT_EQ(c.table.report(), before) << state << " " << flags;
    }
  }
}

TEST(ConntrackTcp, RefusedSynLeavesNothing) {
  Conversation c;
  c.from_client(kSyn);
  EXPECT_EQ(c.from_server(kRst | kAck).state, CtState::kEstablished);
  EXPECT_EQ(c.entry(), nullptr);
}

}  // namespace
}  // namespace postern
