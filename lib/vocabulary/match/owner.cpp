// `-m owner`: who owns the socket that sends the packet (xt_owner). Forwarded packets, and answers
// of the kernel itself, have no socket: then only inverted tests match (kernel-facts 47). Sockets
// are not in the text, so all of it is opaque; but each option asks the same of one packet wherever
// it stands.
#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

// "0", "0-99" or a name; of names only root's number is the same everywhere.
tl::expected<std::string, Complaint> id_range(const std::string& word) {
  if (word == "root") return std::string("0");
  const std::size_t dash = word.find('-');
  const auto low = read_number(word.substr(0, dash));
  if (!low) {
    const bool name = !word.empty() && (word[0] < '0' || word[0] > '9') && word[0] != '-';
    if (name) return word;
    return complaint("\"" + word + "\" is not an owner",
                     "a number, a range such as 0-99, or a name");
  }
  const auto high = dash == std::string::npos ? low : read_number(word.substr(dash + 1));
  if (!high || *low > 0xfffffffe || *high > 0xfffffffe) {
    return complaint("\"" + word + "\" is not an owner", "numbers from 0 to 4294967294");
  }
  if (*high == *low) return std::to_string(*low);
  return std::to_string(*low) + "-" + std::to_string(*high);
}

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  std::vector<PredicatePtr> tests;
  const auto add = [&](std::string_view name, const std::string& what) {
    tests.push_back(negate_if(arguments.inverted(name), opaque_of_packet("owner: " + what)));
  };
  if (arguments.find("--socket-exists") != nullptr) add("--socket-exists", "--socket-exists");
  for (const std::string_view name : {"--uid-owner", "--gid-owner"}) {
    const auto* word = arguments.get<std::string>(name);
    if (word == nullptr) continue;
    const auto range = id_range(*word);
    if (!range) return tl::unexpected(range.error());
    const bool others = name == "--gid-owner" && arguments.find("--suppl-groups") != nullptr;
    add(name, std::string(name) + " " + *range + (others ? " --suppl-groups" : ""));
  }
  bool group = false;
  for (const BoundOption& option : arguments.options) {
    if (option.spec->name == "--gid-owner") group = true;
    if (option.spec->name == "--suppl-groups" && !group) {
      return complaint("--suppl-groups without a --gid-owner before it",
                       "add --gid-owner before it");
    }
  }
  if (arguments.options.empty()) {
    return complaint("-m owner without an option",
                     "add --uid-owner, --gid-owner or --socket-exists");
  }
  return MatchMeaning{all(std::move(tests))};
}

std::string print(const Arguments& arguments) {
  std::string text;
  append_bound(text, arguments, "--socket-exists");
  for (const std::string_view name : {"--uid-owner", "--gid-owner"}) {
    const auto* word = arguments.get<std::string>(name);
    if (word != nullptr) append_option(text, arguments.inverted(name), name, *id_range(*word));
  }
  append_bound(text, arguments, "--suppl-groups");
  return text;
}

}  // namespace

extern const Match owner;
const Match owner{
    .name = "owner",
    .options = {{.name = "--socket-exists", .invertible = true},
                {.name = "--uid-owner", .type = ValueType::kText, .invertible = true},
                {.name = "--gid-owner", .type = ValueType::kText, .invertible = true},
                {.name = "--suppl-groups"}},
    .meaning = meaning,
    .print = print,
    .hooks = {"OUTPUT", "POSTROUTING"},
};

}  // namespace postern::match
