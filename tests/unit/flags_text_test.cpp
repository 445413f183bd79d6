#include "analyzer/flags_text.hpp"

#include <gtest/gtest.h>

#include "scenario/bytes.hpp"

namespace postern {
namespace {

// All combinations for which `holds`, as the sets of an answer give them.
template <class Holds>
IntervalList combinations(Holds holds) {
  IntervalList list;
  for (unsigned flags = 0; flags < 256; ++flags) {
    if (!holds(flags)) continue;
    if (!list.empty() && list.back().second + 1 == flags) {
      list.back().second = flags;
    } else {
      list.emplace_back(flags, flags);
    }
  }
  return list;
}

constexpr unsigned kSyn = 0x02, kRst = 0x04, kAck = 0x10, kFin = 0x01, kAll = 0x3f;

TEST(FlagsText, SaysWhatTcpFlagsWouldSay) {
  EXPECT_EQ(tcp_flags_text(combinations([](unsigned f) { return (f & kAck) != 0; })), "ACK ACK");
  EXPECT_EQ(tcp_flags_text(combinations([](unsigned f) { return (f & kAll) == kAck; })), "ALL ACK");
  EXPECT_EQ(tcp_flags_text(combinations([](unsigned f) { return (f & kAll) == 0; })), "ALL NONE");
  EXPECT_EQ(tcp_flags_text(
                combinations([](unsigned f) { return (f & (kFin | kSyn | kRst | kAck)) == kSyn; })),
            "FIN,SYN,RST,ACK SYN");
}

TEST(FlagsText, NamesOneCombinationAndAllOfThem) {
  EXPECT_EQ(tcp_flags_text({{kSyn | kAck, kSyn | kAck}}), "SYN,ACK");
  EXPECT_EQ(tcp_flags_text({{0, 0}}), "NONE");
  EXPECT_EQ(tcp_flags_text({{0, 255}}), "any");
}

TEST(FlagsText, ASetThatIsNoCubeIsCovered) {
  const std::string text =
      tcp_flags_text(combinations([](unsigned f) { return (f & (kAck | kRst)) != 0; }));
  EXPECT_EQ(text, "RST RST or ACK ACK");
}

TEST(ChunksText, NamesEachChunkOfAPacket) {
  EXPECT_EQ(sctp_chunks_text(std::vector<std::uint8_t>{1, 0, 0, 4}), "INIT");
  EXPECT_EQ(sctp_chunks_text(std::vector<std::uint8_t>{10, 0, 0, 5, 9, 0, 0, 0, 0, 3, 0, 4}),
            "COOKIE_ECHO,DATA");
  EXPECT_EQ(sctp_chunks_text(std::vector<std::uint8_t>{77, 0, 0, 4, 14, 0, 0, 4}),
            "77,SHUTDOWN_COMPLETE");
  EXPECT_EQ(sctp_chunks_text(std::vector<std::uint8_t>{6, 0, 0, 0, 1, 0, 0, 4}), "ABORT");
  EXPECT_EQ(sctp_chunks_text(std::vector<std::uint8_t>{1, 0}), "");
}

}  // namespace
}  // namespace postern
