// Sorts sightings and captures into those of the packet and those of the host's answers to it.
// Covered by tests/kernel/scenario_test.cpp.
#include "kernel/fate.hpp"

#include <algorithm>

#include "net/protocol.hpp"

namespace postern::kernel {
namespace {

using Stage = Sighting::Stage;

Packet packet_of(ByteView bytes) {
  if (auto packet = from_bytes(bytes)) return *packet;
  Packet packet;
  packet.raw = Bytes(bytes.begin(), bytes.end());
  return packet;
}

// Where rules of mangle and later get their ctstate from.
bool shows_state(const Sighting& sighting) {
  const bool looks_up = sighting.hook == Hook::kPrerouting || sighting.hook == Hook::kOutput;
  return sighting.stage == (looks_up ? Stage::kConntrack : Stage::kFirst);
}

// The sightings of one of the host's own answers, from its OUTPUT on.
struct Answer {
  Fingerprint key;
  std::vector<const Sighting*> seen;
};

struct Sorted {
  std::vector<const Sighting*> original;
  std::vector<Answer> answers;
};

Sorted sort_out(const Packet& packet, const std::vector<Sighting>& sightings) {
  Sorted sorted;
  const Fingerprint own = fingerprint(to_bytes(packet));
  for (const Sighting& sighting : sightings) {
    const Fingerprint key = fingerprint(sighting.bytes);
    if (own.matches(key)) {
      sorted.original.push_back(&sighting);
      continue;
    }
    const bool begins = sighting.hook == Hook::kOutput && sighting.stage == Stage::kFirst;
    const auto last = std::find_if(sorted.answers.rbegin(), sorted.answers.rend(),
                                   [&](const Answer& answer) { return answer.key.matches(key); });
    if (begins || last == sorted.answers.rend()) {
      sorted.answers.push_back({key, {&sighting}});
    } else {
      last->seen.push_back(&sighting);
    }
  }
  return sorted;
}

void judge_original(const Packet& packet, const std::vector<const Sighting*>& seen,
                    const InterfaceNames& names, PacketReport& report) {
  for (const Sighting* sighting : seen) {
    if (shows_state(*sighting) && sighting->state) {
      report.state.emplace(sighting->hook, *sighting->state);
      if (sighting->reply_direction) {
        report.reply_direction.emplace(sighting->hook, *sighting->reply_direction);
      }
    }
    if (sighting->hook == Hook::kInput && sighting->stage == Stage::kLast) {
      Packet delivered = packet_of(sighting->bytes);
      delivered.in = names(sighting->in_index);
      delivered.mark = sighting->mark;
      report.delivered.push_back(std::move(delivered));
    }
  }
  if (!report.delivered.empty()) {
    report.verdict = Verdict::kDelivered;
  } else if (!report.out.empty()) {
    report.verdict = packet.local() ? Verdict::kSent : Verdict::kForwarded;
  } else {
    report.verdict = Verdict::kDropped;
    report.died_at = packet.local() ? "before OUTPUT" : "before PREROUTING";
    if (!seen.empty()) {
      const bool passed = seen.back()->stage == Stage::kLast;
      report.died_at = (passed ? "after " : "") + std::string(text(seen.back()->hook));
    }
  }
}

ReplyReport reply_of(const Answer& answer, const InterfaceNames& names) {
  ReplyReport reply;
  reply.packet = packet_of(answer.seen.back()->bytes);
  reply.fate = "dropped";
  for (const Sighting* sighting : answer.seen) {
    if (sighting->hook == Hook::kOutput && sighting->stage == Stage::kConntrack) {
      reply.state = sighting->state;
      reply.reply_direction = sighting->reply_direction;
    }
    if (sighting->stage != Stage::kLast) continue;
    if (sighting->hook == Hook::kPostrouting && names(sighting->out_index) == "lo")
      reply.out = "lo";
    if (sighting->hook == Hook::kInput) reply.fate = "delivered";
  }
  return reply;
}

}  // namespace

Fingerprint fingerprint(ByteView bytes) {
  const auto layer4 = find_layer4(bytes);
  if (!layer4) return {};
  Fingerprint key{layer4->protocol, std::nullopt};
  if (layer4->fragment_offset != 0) return key;
  const ByteView l4 = bytes.subspan(layer4->offset);
  if (key.protocol == protocol::kTcp && l4.size() > 13) key.detail = l4[13];
  if ((key.protocol == protocol::kIcmp || key.protocol == protocol::kIcmpv6) && !l4.empty()) {
    key.detail = l4[0];
  }
  return key;
}

void judge(const Packet& packet, const std::vector<Sighting>& sightings,
           const std::vector<Capture>& captures, const InterfaceNames& names,
           PacketReport& report) {
  const Sorted sorted = sort_out(packet, sightings);
  for (const Answer& answer : sorted.answers) report.replies.push_back(reply_of(answer, names));
  const Fingerprint own = fingerprint(to_bytes(packet));
  std::vector<bool> left(sorted.answers.size(), false);
  for (const Capture& capture : captures) {
    const Fingerprint key = fingerprint(capture.bytes);
    if (own.matches(key)) {
      report.out.emplace_back(packet_of(capture.bytes), capture.device);
      continue;
    }
    for (std::size_t i = 0; i < left.size(); ++i) {
      if (left[i] || !sorted.answers[i].key.matches(key)) continue;
      left[i] = true;
      report.replies[i].packet = packet_of(capture.bytes);
      report.replies[i].out = capture.device;
      report.replies[i].fate.clear();
      break;
    }
  }
  judge_original(packet, sorted.original, names, report);
}

std::vector<TracePoint> trace_of(const std::vector<Sighting>& sightings,
                                 const InterfaceNames& names) {
  std::vector<TracePoint> points;
  for (const Sighting& sighting : sightings) {
    const std::string_view stage = sighting.stage == Stage::kFirst       ? ".first"
                                   : sighting.stage == Stage::kConntrack ? ".ct"
                                                                         : ".last";
    points.push_back({std::string(text(sighting.hook)) + std::string(stage), sighting.state,
                      sighting.reply_direction, names(sighting.in_index), names(sighting.out_index),
                      packet_of(sighting.bytes)});
  }
  return points;
}

std::string pending_device(const std::vector<Sighting>& sightings,
                           const std::vector<Capture>& captures, const InterfaceNames& names) {
  std::size_t left = 0, arrived = 0;
  std::string wire;
  for (const Sighting& sighting : sightings) {
    if (sighting.hook == Hook::kPostrouting && sighting.stage == Stage::kLast) {
      const std::string device = names(sighting.out_index);
      if (device == "lo") {
        ++left;
      } else {
        wire = device;
      }
    }
    const bool over_lo = sighting.hook == Hook::kPrerouting && sighting.stage == Stage::kFirst &&
                         names(sighting.in_index) == "lo";
    if (over_lo) ++arrived;
  }
  if (left > arrived) return "lo";
  return captures.empty() ? wire : std::string();
}

}  // namespace postern::kernel
