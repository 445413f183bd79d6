// `-m sctp`: ports and chunk types (xt_sctp). Chunks are not modelled; a packet whose chunks are
// malformed is dropped on the spot.
#include <array>

#include "net/protocol.hpp"
#include "vocabulary/build.hpp"
#include "vocabulary/sctp_chunks.hpp"

namespace postern::match {
namespace {

using Words = std::vector<std::string>;

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return result;
}

std::size_t index_of(std::string_view name) {
  for (std::size_t i = 0; i < kSctpChunks.size(); ++i) {
    if (kSctpChunks[i].first == upper(name)) return i;
  }
  return kSctpChunks.size();
}

// The chunk list in print order; each may carry flags after a colon. ALL and NONE stay.
tl::expected<std::string, Complaint> chunk_list(const std::string& word) {
  if (upper(word) == "ALL" || upper(word) == "NONE") return upper(word);
  std::array<std::string, kSctpChunks.size()> found;
  for (const std::string& part : split(word, ',')) {
    const std::size_t colon = part.find(':');
    const std::size_t at = index_of(part.substr(0, colon));
    if (at == kSctpChunks.size()) {
      return complaint("\"" + part + "\" is not a chunk type", "DATA, INIT, ABORT, ...");
    }
    found[at] =
        std::string(kSctpChunks[at].first) + (colon == std::string::npos ? "" : part.substr(colon));
  }
  std::string text;
  for (const std::string& part : found) {
    if (!part.empty()) text += (text.empty() ? "" : ",") + part;
  }
  return text;
}

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  std::vector<PredicatePtr> tests{range_test(Field::kSourcePort, arguments, "--sport"),
                                  range_test(Field::kDestinationPort, arguments, "--dport")};
  if (const auto* words = arguments.get<Words>("--chunk-types")) {
    const std::string& how = (*words)[0];
    if (how != "any" && how != "all" && how != "only") {
      return complaint("\"" + how + "\" is not a way to match chunks", "any, all or only");
    }
    const auto chunks = chunk_list((*words)[1]);
    if (!chunks) return tl::unexpected(chunks.error());
    tests.push_back(opaque("sctp: which chunks the packet has", true));
  }
  return on_transport(protocol::kSctp, all(std::move(tests)));
}

std::string print(const Arguments& arguments) {
  std::string text;
  append_range(text, arguments, "--sport", 65535);
  append_range(text, arguments, "--dport", 65535);
  if (const auto* words = arguments.get<Words>("--chunk-types")) {
    append_option(text, arguments.inverted("--chunk-types"), "--chunk-types",
                  (*words)[0] + " " + *chunk_list((*words)[1]));
  }
  return text;
}

}  // namespace

extern const Match sctp;
const Match sctp{
    .name = "sctp",
    .protocols = {protocol::kSctp},
    .options = {{.name = "--sport",
                 .aliases = {"--source-port"},
                 .type = ValueType::kPortRange,
                 .invertible = true},
                {.name = "--dport",
                 .aliases = {"--destination-port"},
                 .type = ValueType::kPortRange,
                 .invertible = true},
                {.name = "--chunk-types", .type = ValueType::kTextPair, .invertible = true}},
    .meaning = meaning,
    .print = print,
};

}  // namespace postern::match
