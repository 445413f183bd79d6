// `-m conntrack`: the packet's connection state and its entry (xt_conntrack.c, conntrack_mt).
//
// Without an entry (INVALID, UNTRACKED) a rule with --ctstate is decided by it alone, whatever
// other options stand beside it; a rule without --ctstate does not match (kernel-facts 20).
#include "net/protocol.hpp"
#include "vocabulary/ct_names.hpp"

namespace postern::match {
namespace {

constexpr std::array<NamedValue, 5> kStatuses{{{"NONE", 0},
                                               {"EXPECTED", ct_status::kExpected},
                                               {"SEEN_REPLY", ct_status::kSeenReply},
                                               {"ASSURED", ct_status::kAssured},
                                               {"CONFIRMED", ct_status::kConfirmed}}};
constexpr std::array<NamedValue, 2> kDirections{{{"ORIGINAL", 0}, {"REPLY", 1}}};

struct TupleOption {
  std::string_view name;
  Field field;
};
constexpr std::array kAddresses{TupleOption{"--ctorigsrc", Field::kCtOriginalSource},
                                TupleOption{"--ctorigdst", Field::kCtOriginalDestination},
                                TupleOption{"--ctreplsrc", Field::kCtReplySource},
                                TupleOption{"--ctrepldst", Field::kCtReplyDestination}};
constexpr std::array kPorts{TupleOption{"--ctorigsrcport", Field::kCtOriginalSourcePort},
                            TupleOption{"--ctorigdstport", Field::kCtOriginalDestinationPort},
                            TupleOption{"--ctreplsrcport", Field::kCtReplySourcePort},
                            TupleOption{"--ctrepldstport", Field::kCtReplyDestinationPort}};

using Words = std::vector<std::string>;

tl::expected<std::uint64_t, Complaint> names_of(const Arguments& arguments, std::string_view option,
                                                std::span<const NamedValue> names,
                                                std::string_view what) {
  const auto* words = arguments.get<Words>(option);
  if (words == nullptr) return 0;
  return read_names(names, *words, what, true);
}

// Every test but --ctstate; each needs an entry.
PredicatePtr entry_tests(const Arguments& arguments, std::uint64_t status,
                         std::uint64_t direction) {
  std::vector<PredicatePtr> tests{has_entry(),
                                  range_test(Field::kCtProtocol, arguments, "--ctproto")};
  for (const auto& [name, field] : kAddresses) {
    if (const auto* prefix = arguments.get<Prefix>(name)) {
      tests.push_back(negate_if(arguments.inverted(name), prefix_test(field, *prefix)));
    }
  }
  for (const auto& [name, field] : kPorts) tests.push_back(range_test(field, arguments, name));
  if (arguments.has("--ctstatus")) {
    tests.push_back(negate_if(arguments.inverted("--ctstatus"), any_bit(Field::kCtStatus, status)));
  }
  if (arguments.has("--ctdir")) tests.push_back(equals(Field::kCtDirection, direction));
  if (arguments.has("--ctexpire")) {
    tests.push_back(opaque("conntrack: how long the entry has left to live"));
  }
  return all(std::move(tests));
}

bool only_state(const Arguments& arguments) {
  for (const BoundOption& option : arguments.options) {
    if (option.spec->name != "--ctstate") return false;
  }
  return true;
}

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  const auto states = names_of(arguments, "--ctstate", kCtStates, "connection state");
  if (!states) return tl::unexpected(states.error());
  const auto status = names_of(arguments, "--ctstatus", kStatuses, "connection status");
  if (!status) return tl::unexpected(status.error());
  std::uint64_t direction = 0;
  if (const auto* word = arguments.get<std::string>("--ctdir")) {
    const auto read = read_name(kDirections, *word, "direction", false);
    if (!read) return tl::unexpected(read.error());
    direction = *read;
  }
  if (arguments.options.empty()) {
    return complaint("-m conntrack without an option", "add --ctstate or another of its options");
  }
  const bool has_state = arguments.has("--ctstate");
  PredicatePtr others = entry_tests(arguments, *status, direction);
  if (!has_state) return MatchMeaning{others};
  PredicatePtr state = negate_if(arguments.inverted("--ctstate"), ct_state_test(*states));
  if (only_state(arguments)) return MatchMeaning{state};
  return MatchMeaning{all({state, any({negate(has_entry()), others})})};
}

std::string print(const Arguments& arguments) {
  std::string text;
  const auto append = [&](std::string_view name, const std::string& value) {
    append_option(text, arguments.inverted(name), name, value);
  };
  if (const auto* words = arguments.get<Words>("--ctstate")) {
    append("--ctstate", print_names(kCtStates, *read_names(kCtStates, *words, "", true)));
  }
  for (const std::string_view name :
       {"--ctproto", "--ctorigsrc", "--ctorigdst", "--ctreplsrc", "--ctrepldst", "--ctorigsrcport",
        "--ctorigdstport", "--ctreplsrcport", "--ctrepldstport", "--ctstatus", "--ctexpire",
        "--ctdir"}) {
    const BoundOption* option = arguments.find(name);
    if (option == nullptr) continue;
    if (name == "--ctstatus") {
      const auto bits = *read_names(kStatuses, std::get<Words>(option->value), "", true);
      append(name, bits == 0 ? "NONE" : print_names(kStatuses, bits));
    } else if (name == "--ctdir") {
      const auto direction =
          read_name(kDirections, std::get<std::string>(option->value), "", false);
      append(name, std::string(kDirections[*direction].name));
    } else {
      append(name, print_value(option->spec->type, option->value));
    }
  }
  return text;
}

constexpr OptionSpec test(std::string_view name, ValueType type) {
  return {.name = name, .type = type, .invertible = true, .any_service = true};
}

}  // namespace

extern const Match conntrack;
const Match conntrack{
    .name = "conntrack",
    .options = {test("--ctstate", ValueType::kWordList),
                test("--ctproto", ValueType::kProtocol),
                test("--ctorigsrc", ValueType::kHostMask),
                test("--ctorigdst", ValueType::kHostMask),
                test("--ctreplsrc", ValueType::kHostMask),
                test("--ctrepldst", ValueType::kHostMask),
                test("--ctorigsrcport", ValueType::kPortRange),
                test("--ctorigdstport", ValueType::kPortRange),
                test("--ctreplsrcport", ValueType::kPortRange),
                test("--ctrepldstport", ValueType::kPortRange),
                test("--ctstatus", ValueType::kWordList),
                test("--ctexpire", ValueType::kRange),
                {.name = "--ctdir", .type = ValueType::kText}},
    .meaning = meaning,
    .switches_on_tracking = true,
    .print = print,
};

}  // namespace postern::match
