#include "ir/option_help.hpp"

#include <algorithm>
#include <numeric>

#include "net/protocol.hpp"
#include "vocabulary/registry.hpp"

namespace postern {
namespace {

// Levenshtein distance; both words are short.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

bool has_option(const Match& match, std::string_view option) {
  return find_option(match.options, option).exact;
}

}  // namespace

std::string_view protocol_match_name(std::uint8_t protocol, Family family) {
  struct Row {
    std::uint8_t number;
    std::string_view match;
  };
  constexpr std::uint8_t kMobility = 135;
  static constexpr Row kRows[] = {
      {protocol::kTcp, "tcp"}, {protocol::kUdp, "udp"},   {protocol::kDccp, "dccp"},
      {protocol::kEsp, "esp"}, {protocol::kSctp, "sctp"}, {protocol::kUdplite, "udplite"},
      {protocol::kAh, "ah"},
  };
  if (family == Family::kIpv4 && protocol == protocol::kIcmp) return "icmp";
  if (family == Family::kIpv6 && protocol == protocol::kIcmpv6) return "icmp6";
  if (family == Family::kIpv6 && protocol == kMobility) return "mh";
  const auto* row = std::ranges::find(kRows, protocol, &Row::number);
  return row == std::end(kRows) ? "" : row->match;
}

const Match* protocol_match(std::uint8_t protocol, Family family) {
  return find_match(protocol_match_name(protocol, family), family);
}

const Match* question_match(std::string_view option, Family family) {
  struct Row {
    std::string_view option, match;
  };
  // Where several matches share an option: the one that a question means.
  static constexpr Row kPreferred[] = {
      {"--mark", "mark"}, {"--length", "length"}, {"--tos", "tos"}, {"--ttl", "ttl"}};
  for (const Row& row : kPreferred) {
    if (row.option == option) return find_match(row.match, family);
  }
  const Match* owner = nullptr;
  for (const Match* match : all_matches()) {
    const bool fits = find_match(match->name, family) == match && match->protocols.empty();
    if (!fits || !has_option(*match, option)) continue;
    if (owner != nullptr) return nullptr;
    owner = match;
  }
  return owner;
}

std::string_view match_alias(std::string_view name) {
  return name == "icmpv6" || name == "ipv6-icmp" ? "icmp6" : name;
}

bool looks_like_target(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && name.front() >= 'A' && name.front() <= 'Z' &&
         std::ranges::all_of(name, fits);
}

std::string option_help(std::string_view option, std::span<Extension* const> loaded,
                        const Match* implied, Family family, bool question) {
  std::vector<std::span<const OptionSpec>> candidates;
  for (const Extension* extension : loaded) candidates.push_back(extension->specs());
  if (implied != nullptr) candidates.push_back(implied->options);
  for (const auto& specs : candidates) {
    for (const OptionSpec& spec : specs) {
      if (option.size() > 4 && distance(option, spec.name) <= 2) {
        return "did you mean " + std::string(spec.name) + "?";
      }
    }
  }
  std::string owners;
  for (const Match* match : all_matches()) {
    if (find_match(match->name, family) != match || !has_option(*match, option)) continue;
    const bool by_protocol = match->protocols.size() == 1;
    const std::string owner = by_protocol ? "-p " + protocol_name(match->protocols.front())
                                          : "-m " + std::string(match->name);
    owners += (owners.empty() ? "" : " or ") + owner;
  }
  for (const Target* target : all_targets()) {
    if (question || find_target(target->name, family) != target) continue;
    if (!find_option(target->options, option).exact) continue;
    owners += (owners.empty() ? "-j " : " or -j ") + std::string(target->name);
  }
  return owners.empty() ? "" : "put " + owners + " before it";
}

}  // namespace postern
