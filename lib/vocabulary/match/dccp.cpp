// `-m dccp`: ports, packet types and options of a DCCP header (xt_dccp). Types and options are not
// modelled; malformed options are dropped on the spot.
#include <array>

#include "net/protocol.hpp"
#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

constexpr std::array<NamedValue, 11> kTypes{{{"REQUEST", 1},
                                             {"RESPONSE", 2},
                                             {"DATA", 4},
                                             {"ACK", 8},
                                             {"DATAACK", 16},
                                             {"CLOSEREQ", 32},
                                             {"CLOSE", 64},
                                             {"RESET", 128},
                                             {"SYNC", 256},
                                             {"SYNCACK", 512},
                                             {"INVALID", 1024}}};

using Words = std::vector<std::string>;

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  std::vector<PredicatePtr> tests{range_test(Field::kSourcePort, arguments, "--sport"),
                                  range_test(Field::kDestinationPort, arguments, "--dport")};
  if (const auto* words = arguments.get<Words>("--dccp-types")) {
    const auto types = read_names(kTypes, *words, "DCCP packet type", false);
    if (!types) return tl::unexpected(types.error());
    tests.push_back(opaque("dccp: the type of the packet"));
  }
  if (arguments.has("--dccp-option")) {
    tests.push_back(opaque("dccp: the options of the packet", true));
  }
  return on_transport(protocol::kDccp, all(std::move(tests)));
}

std::string print(const Arguments& arguments) {
  std::string text;
  append_range(text, arguments, "--sport", 65535);
  append_range(text, arguments, "--dport", 65535);
  if (const auto* words = arguments.get<Words>("--dccp-types")) {
    append_option(text, arguments.inverted("--dccp-types"), "--dccp-types",
                  print_names(kTypes, *read_names(kTypes, *words, "", false)));
  }
  append_bound(text, arguments, "--dccp-option");
  return text;
}

}  // namespace

extern const Match dccp;
const Match dccp{
    .name = "dccp",
    .protocols = {protocol::kDccp},
    .options = {{.name = "--sport",
                 .aliases = {"--source-port"},
                 .type = ValueType::kPortRange,
                 .invertible = true,
                 .any_service = true},
                {.name = "--dport",
                 .aliases = {"--destination-port"},
                 .type = ValueType::kPortRange,
                 .invertible = true,
                 .any_service = true},
                {.name = "--dccp-types", .type = ValueType::kWordList, .invertible = true},
                {.name = "--dccp-option",
                 .type = ValueType::kUnsigned,
                 .invertible = true,
                 .min = 1,
                 .max = 255}},
    .meaning = meaning,
    .print = print,
};

}  // namespace postern::match
