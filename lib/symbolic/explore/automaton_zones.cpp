// A flow's entries in several zones at once: what a packet makes of them.
// Covered by tests/unit/zones_test.cpp.
#include <fmt/format.h>

#include <algorithm>

#include "symbolic/explore/automaton.hpp"

namespace postern {
namespace {

// Where several entries of a flow together can be more than this, a packet that makes more of it is
// coarse.
constexpr std::size_t kMostNumbers = 1000;

}  // namespace

Automaton::Parts Automaton::parts(std::uint16_t entry) const {
  Parts result(pairs(), 0);
  const auto& listed = infos_[entry].parts;
  if (listed.empty()) result[0] = entry;
  for (const EntryPart& part : listed) result[part.pair] = part.entry;
  return result;
}

std::optional<std::uint16_t> Automaton::find(const Parts& parts) const {
  const bool elsewhere =
      std::any_of(parts.begin() + 1, parts.end(), [](std::uint16_t n) { return n != 0; });
  if (!elsewhere) return parts[0];
  const auto at = combined_.find(parts);
  if (at == combined_.end()) return std::nullopt;
  return at->second;
}

// A state that nothing is followed to.
std::uint16_t Automaton::beyond() {
  if (beyond_ == 0) {
    EntryInfo info;
    info.text = "more entries in several zones than are followed";
    info.entry.present = true;
    beyond_ = static_cast<std::uint16_t>(infos_.size());
    infos_.push_back(std::move(info));
  }
  return beyond_;
}

std::uint16_t Automaton::combine(const Parts& parts) {
  if (const auto known = find(parts)) return *known;
  const auto next = static_cast<std::uint16_t>(infos_.size());
  combined_.emplace(parts, next);
  std::vector<EntryPart> list;
  std::string text;
  for (std::uint8_t k = 0; k < parts.size(); ++k) {
    if (parts[k] == 0) continue;
    list.push_back({zones_.pairs()[k].id(), k, parts[k]});
    if (!text.empty()) text += "; ";
    text += infos_[parts[k]].text;
    if (k != 0) text += fmt::format(" zone={}", zones_.pairs()[k].id());
  }
  EntryInfo info = infos_[list.front().entry];
  info.parts = std::move(list);
  info.text = std::move(text);
  infos_.push_back(std::move(info));
  return next;
}

Zones::Openers Automaton::openers(const Parts& parts) const {
  Zones::Openers result(parts.size());
  for (std::size_t k = 0; k < parts.size(); ++k) {
    if (parts[k] != 0) result[k] = infos_[parts[k]].entry.originator;
  }
  return result;
}

// The moves of the entry in pair `met`, or of none, as moves of all entries.
void Automaton::lift(const Parts& before, FlowEnd sender, PacketKind kind, std::uint8_t pair,
                     std::optional<std::uint8_t> met, std::vector<Move>& out) {
  const std::uint16_t own = met ? before[*met] : std::uint16_t{0};
  for (const Move& plain : std::vector<Move>(moves(own, sender, kind))) {
    Move move = plain;
    Parts rest = before;
    if (met) rest[*met] = 0;
    if (move.step.created && rest[pair] != 0) {  // the one is gone, and it finds the other
      lift(rest, sender, kind, pair, pair, out);
      continue;
    }
    const bool others = std::ranges::any_of(rest, [](std::uint16_t number) { return number != 0; });
    move.pair = move.step.created ? pair : met.value_or(pair);
    move.second = move.step.created && others;
    move.clashes = move.step.created && zones_.clashes(openers(rest), sender, pair);
    move.step.coarse = move.step.coarse || move.clashes || (move.second && one_connmark_);
    // Two SCTP entries would make too many, for what few ask. One alone is always followed.
    const bool crowd = move.second && plain.step.after.tracker == Tracker::kSctp;
    const auto place = [&](std::uint16_t number) -> std::uint16_t {
      Parts after = rest;
      if (number != 0) after[move.pair] = number;
      if ((crowd || (others && combined_.size() >= kMostNumbers)) && !find(after)) {
        move.step.coarse = true;
        return beyond();
      }
      return combine(after);
    };
    move.lost = place(plain.lost);
    move.reset = place(plain.reset);
    move.kept = move.clashes ? move.lost : place(plain.kept);
    move.kept_reset = move.clashes ? move.lost : place(plain.kept_reset);
    out.push_back(std::move(move));
  }
}

std::span<const PacketKind> Automaton::kinds(std::uint16_t entry, FlowEnd sender,
                                             std::uint8_t pair) const {
  if (pairs() == 1) return kinds(entry, sender);
  const Parts all = parts(entry);
  const auto met = zones_.found(openers(all), sender, pair);
  return kinds(met.empty() ? std::uint16_t{0} : all[met.front()], sender);
}

const std::vector<Move>& Automaton::moves(std::uint16_t entry, FlowEnd sender, PacketKind kind,
                                          std::uint8_t pair) {
  if (pairs() == 1) return moves(entry, sender, kind);
  const auto key = std::tuple{entry, sender, kind, pair};
  if (const auto it = lifted_.find(key); it != lifted_.end()) return it->second;
  std::vector<Move> result;
  const Parts all = parts(entry);
  const auto met = zones_.found(openers(all), sender, pair);
  if (met.empty()) lift(all, sender, kind, pair, std::nullopt, result);
  for (const std::uint8_t one : met) lift(all, sender, kind, pair, one, result);
  if (met.size() > 1) {  // the one that was hashed last
    for (Move& move : result) move.step.coarse = true;
  }
  return lifted_[key] = std::move(result);
}

std::vector<std::uint16_t> Automaton::after_expiry(std::uint16_t entry) {
  std::vector<std::uint16_t> result;
  if (entry == 0) return result;
  if (infos_[entry].parts.size() > 1) {
    const Parts all = parts(entry);
    for (std::uint8_t k = 0; k < all.size(); ++k) {
      if (all[k] == 0) continue;
      Parts rest = all;
      rest[k] = 0;
      result.push_back(combine(rest));
    }
  }
  result.push_back(0);
  return result;
}

}  // namespace postern
