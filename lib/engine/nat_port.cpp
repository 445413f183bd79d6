#include "engine/nat_port.hpp"

#include <algorithm>

namespace postern {
namespace {

// How many places are tried from one start; each new start tries half as many, at least eight.
constexpr unsigned kMostAttempts = 128, kFewestToGoOn = 16;

struct Span {
  unsigned first = 0, size = 0;
};

bool is_icmp(const CtTuple& tuple) {
  const Tracker tracker = tracker_of(tuple.protocol);
  return tracker == Tracker::kIcmp || tracker == Tracker::kIcmpv6;
}

// A port that the rule leaves open stays within its class of privilege.
Span same_class(std::uint16_t port) {
  if (port < 512) return {1, 511};
  if (port < 1024) return {600, 1023 - 600 + 1};
  return {1024, 65535 - 1024 + 1};
}

// Where to look; nullopt: nowhere, the port must stay.
std::optional<Span> span_of(const CtTuple& tuple, Manip manip, const NatRange& range,
                            std::uint16_t key) {
  if (range.ports) {
    const auto [low, high] = std::minmax(range.ports->low, range.ports->high);
    return Span{low, 1U + high - low};
  }
  if (is_icmp(tuple)) return Span{0, 65536};
  if (manip == Manip::kDestination) return std::nullopt;
  return same_class(key);
}

class Start {
 public:
  Start(const Span& span, Manip manip, Chooser& chooser, const std::string& place)
      : span_(span),
        why_(manip == Manip::kSource ? "source port" : "destination port"),
        chooser_(chooser),
        place_(place) {}
  std::uint16_t random() const {
    Choice question;
    question.why = why_;
    question.rule = place_;
    question.options = span_.size;
    question.first = span_.first;
    return static_cast<std::uint16_t>(chooser_.choose(question));
  }

 private:
  const Span& span_;
  const char* why_;
  Chooser& chooser_;
  const std::string& place_;
};

}  // namespace

std::uint16_t* nat_key(CtTuple& tuple, Manip manip) {
  if (is_icmp(tuple)) return &tuple.source_key;
  if (!has_ports(tracker_of(tuple.protocol))) return nullptr;
  return manip == Manip::kSource ? &tuple.source_key : &tuple.destination_key;
}

bool key_in_range(const CtTuple& tuple, Manip manip, const NatRange::Ports& ports) {
  CtTuple copy = tuple;
  const std::uint16_t* key = nat_key(copy, manip);
  return key == nullptr || (*key >= ports.low && *key <= ports.high);
}

void choose_port(CtTuple& tuple, Manip manip, const NatRange& range, const TupleIsTaken& taken,
                 Chooser& chooser, const std::string& place) {
  std::uint16_t* key = nat_key(tuple, manip);
  if (key == nullptr) return;
  const auto span = span_of(tuple, manip, range, *key);
  if (!span) return;
  const Start start(*span, manip, chooser, place);
  std::uint16_t offset = 0;
  const bool by_chance = !range.base && (range.random || manip == Manip::kSource);
  if (range.base) {
    offset = static_cast<std::uint16_t>(*key - *range.base);
  } else if (by_chance) {
    offset = start.random();
  }
  for (unsigned attempts = std::min(span->size, kMostAttempts);; attempts /= 2) {
    const std::uint16_t begin = offset;
    for (unsigned i = 0; i < attempts; ++i, ++offset) {
      *key = static_cast<std::uint16_t>(span->first + offset % span->size);
      if (!taken(tuple, attempts - i)) return;
    }
    if (attempts >= span->size || attempts < kFewestToGoOn) {
      // None is free. Linux keeps the last that it tried, anyone by a chance of its own: the
      // chooser's, so that whoever has seen the port can name it.
      if (by_chance) *key = static_cast<std::uint16_t>(span->first + begin % span->size);
      return;
    }
    offset = start.random();
  }
}

}  // namespace postern
