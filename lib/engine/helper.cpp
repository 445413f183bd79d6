#include "engine/helper.hpp"

#include <algorithm>

#include "engine/conntrack_window.hpp"
#include "engine/ftp_command.hpp"
#include "engine/irc_dcc.hpp"
#include "scenario/serialise.hpp"

namespace postern {
namespace {

constexpr std::size_t kMostOfFtp = 1, kMostOfTftp = 1, kMostOfIrc = 8;
constexpr int kPortAttempts = 128;
constexpr std::uint16_t kNat = ct_status::kSourceNat | ct_status::kDestinationNat;

const CtTuple& tuple_of(const ConntrackEntry& entry, CtDirection direction) {
  return direction == CtDirection::kOriginal ? entry.original : entry.reply;
}

class HelperRun {
 public:
  HelperRun(ConntrackTable& table, Chooser& chooser, const PacketView& packet,
            const Attachment& attachment)
      : table_(table),
        chooser_(chooser),
        packet_(packet),
        attachment_(attachment),
        entry_(*attachment.entry),
        there_(tuple_of(entry_, attachment.direction)),
        back_(tuple_of(entry_, opposite(attachment.direction))) {}

  HelperVerdict ftp();
  HelperVerdict tftp();
  HelperVerdict irc();

 private:
  bool established() const { return attachment_.state == CtState::kEstablished; }
  bool translated() const { return (entry_.status & kNat) != 0; }
  Expectation expect(const CtTuple& like, std::uint16_t port) const;
  bool add(const Expectation& made, std::size_t most) {
    return table_.expectations().add(made, most, table_.now()) == ExpectationTable::Added::kYes;
  }
  // The port that is announced instead, with the expectation added; 0: none is free.
  std::uint16_t add_at_free_port(Expectation made, std::size_t most);
  HelperVerdict announce(const FtpAnnouncement& what);
  bool at_line_start() const;
  void note_line_start(std::uint32_t seq);

  ConntrackTable& table_;
  Chooser& chooser_;
  const PacketView& packet_;
  const Attachment& attachment_;
  ConntrackEntry& entry_;
  const CtTuple& there_;
  const CtTuple& back_;
};

// A flow from and to the addresses of `like`, to this port.
Expectation HelperRun::expect(const CtTuple& like, std::uint16_t port) const {
  Expectation made;
  made.tuple = like;
  made.tuple.source_key = 0;
  made.tuple.destination_key = port;
  made.master = attachment_.entry;
  return made;
}

// nf_nat_exp_find_port
std::uint16_t HelperRun::add_at_free_port(Expectation made, std::size_t most) {
  const std::uint16_t wanted = made.tuple.destination_key;
  made.follow = FollowMaster{opposite(attachment_.direction), wanted};
  const int range = 65535 - wanted;
  for (int left = std::min(range, kPortAttempts);;) {
    if (add(made, most)) return made.tuple.destination_key;
    if (--left < 0) return 0;
    Choice question;
    question.why = "expected port";
    question.rule = "helper " + entry_.helper;
    question.options = static_cast<std::uint64_t>(range);
    question.first = wanted;
    made.tuple.destination_key = static_cast<std::uint16_t>(wanted + chooser_.choose(question));
  }
}

bool HelperRun::at_line_start() const {
  const LineStarts& lines = entry_.lines[static_cast<std::size_t>(attachment_.direction)];
  const auto end = lines.seq.begin() + lines.count;
  return std::find(lines.seq.begin(), end, packet_.seq) != end;
}

void HelperRun::note_line_start(std::uint32_t seq) {
  LineStarts& lines = entry_.lines[static_cast<std::size_t>(attachment_.direction)];
  const auto end = lines.seq.begin() + lines.count;
  if (std::find(lines.seq.begin(), end, seq) != end) return;
  if (lines.count < lines.seq.size()) {
    lines.seq[lines.count++] = seq;
    return;
  }
  std::uint32_t& oldest = seq_before(lines.seq[0], lines.seq[1]) ? lines.seq[0] : lines.seq[1];
  if (seq_after(seq, oldest)) oldest = seq;
}

HelperVerdict HelperRun::ftp() {
  if (!established()) return {};
  const Bytes payload = payload_of(packet_);
  if (payload.empty()) return {};
  HelperVerdict verdict;
  if (at_line_start()) {
    const Address speaker{there_.family, there_.source};
    const FtpReading read = read_ftp(payload, attachment_.direction, speaker);
    if (read.partial) return {.accepted = false};
    // A third party's address is not believed.
    if (read.found && read.found->address == speaker) verdict = announce(*read.found);
  }
  if (payload.back() == '\n') {
    note_line_start(packet_.seq + static_cast<std::uint32_t>(payload.size()));
  }
  return verdict;
}

HelperVerdict HelperRun::announce(const FtpAnnouncement& what) {
  const Expectation made = expect(back_, what.port);
  if (!translated()) return {.accepted = add(made, kMostOfFtp)};
  const std::uint16_t port = add_at_free_port(made, kMostOfFtp);
  if (port == 0) return {.accepted = false};
  const Address outside{back_.family, back_.destination};
  return {true, Rewriting{what.offset, what.length, ftp_words(what.command, outside, port)}};
}

HelperVerdict HelperRun::tftp() {
  const Bytes payload = payload_of(packet_);
  constexpr std::uint16_t kReadRequest = 1, kWriteRequest = 2;
  if (payload.size() < 2) return {};
  const std::uint16_t opcode = get16(payload, 0);
  if (opcode != kReadRequest && opcode != kWriteRequest) return {};
  Expectation made = expect(entry_.reply, entry_.reply.destination_key);
  if (translated()) made.follow = FollowMaster{CtDirection::kReply, entry_.original.source_key};
  return {.accepted = add(made, kMostOfTftp)};
}

HelperVerdict HelperRun::irc() {
  if (!established() || attachment_.direction == CtDirection::kReply) return {};
  const auto client = static_cast<std::uint32_t>(there_.source);
  const auto outside = static_cast<std::uint32_t>(back_.destination);
  const auto what = read_dcc(payload_of(packet_), client, outside);
  if (!what) return {};
  Expectation made = expect(back_, what->port);
  made.any_source = true;
  made.tuple.source = 0;
  if (!translated()) return {.accepted = add(made, kMostOfIrc)};
  const std::uint16_t port = add_at_free_port(made, kMostOfIrc);
  if (port == 0) return {.accepted = false};
  return {true, Rewriting{what->offset, what->length,
                          std::to_string(outside) + " " + std::to_string(port)}};
}

}  // namespace

bool expects_by_broadcast(std::string_view name) { return name == "netbios-ns"; }

bool knows_helper(std::string_view name) {
  return name == "ftp" || name == "tftp" || name == "irc" || expects_by_broadcast(name);
}

HelperVerdict run_helper(ConntrackTable& table, Chooser& chooser, const PacketView& packet,
                         const Attachment& attachment) {
  HelperRun run(table, chooser, packet, attachment);
  const std::string& name = attachment.entry->helper;
  if (name == "ftp") return run.ftp();
  if (name == "tftp") return run.tftp();
  return run.irc();
}

Bytes payload_of(const PacketView& view) {
  const bool tcp = view.protocol == protocol::kTcp;
  if (!tcp && view.protocol != protocol::kUdp) return {};
  if (!view.packet->raw && !view.packet->raw_l4) return view.packet->payload;
  const Bytes bytes = to_bytes(*view.packet);
  const auto layer4 = find_layer4(bytes);
  if (!layer4 || layer4->fragment_offset != 0) return {};
  const ByteView l4 = ByteView(bytes).subspan(layer4->offset);
  if (l4.size() < (tcp ? 20U : 8U)) return {};
  const std::size_t header = tcp ? (l4[12] >> 4) * 4U : 8U;
  if (header >= l4.size()) return {};
  return Bytes(l4.begin() + static_cast<std::ptrdiff_t>(header), l4.end());
}

}  // namespace postern
