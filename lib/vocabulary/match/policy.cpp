// `-m policy`: whether IPsec protects the packet (xt_policy). The policies are not in the text.
// With
// --strict the rule describes a list of elements, each but the first after a --next.
#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

constexpr std::string_view kElement[] = {"--reqid", "--spi",        "--proto",
                                         "--mode",  "--tunnel-dst", "--tunnel-src"};

bool one_of(const std::string* word, std::string_view a, std::string_view b) {
  return word == nullptr || *word == a || *word == b;
}

// The options of one element: those between two --next.
std::vector<std::vector<const BoundOption*>> elements(const Arguments& arguments) {
  std::vector<std::vector<const BoundOption*>> result(1);
  for (const BoundOption& option : arguments.options) {
    if (option.spec->name == "--next") {
      result.emplace_back();
      continue;
    }
    for (const std::string_view name : kElement) {
      if (option.spec->name == name) result.back().push_back(&option);
    }
  }
  return result;
}

tl::expected<MatchMeaning, Complaint> check_elements(const Arguments& arguments) {
  const auto all = elements(arguments);
  if (all.size() > 1 && !arguments.has("--strict")) {
    return complaint("--next without --strict", "add --strict");
  }
  for (const auto& element : all) {
    bool tunnel = false, ends = false;
    for (std::size_t i = 0; i < element.size(); ++i) {
      const BoundOption& option = *element[i];
      for (std::size_t j = 0; j < i; ++j) {
        if (element[j]->spec == option.spec) {
          return complaint(std::string(option.spec->name) + " is given twice in one element",
                           "separate elements with --next");
        }
      }
      if (option.spec->name == "--mode") {
        const auto& mode = std::get<std::string>(option.value);
        if (mode != "tunnel" && mode != "transport") {
          return complaint("\"" + mode + "\" is not a mode", "tunnel or transport");
        }
        tunnel = mode == "tunnel";
      }
      ends = ends || option.spec->name.starts_with("--tunnel");
    }
    if (arguments.has("--strict") && element.empty()) {
      return complaint("an element of --strict is empty",
                       "describe it, for instance by --proto esp");
    }
    if (ends && arguments.has("--strict") && !tunnel) {
      return complaint("tunnel addresses without --mode tunnel", "add --mode tunnel");
    }
  }
  return MatchMeaning{};
}

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  if (!one_of(arguments.get<std::string>("--dir"), "in", "out")) {
    return complaint("--dir takes in or out", "in");
  }
  if (!one_of(arguments.get<std::string>("--pol"), "none", "ipsec")) {
    return complaint("--pol takes none or ipsec", "ipsec");
  }
  if (const auto checked = check_elements(arguments); !checked) return checked;
  return MatchMeaning{opaque("policy: whether IPsec protects the packet")};
}

std::string print_protocol(u128 number) {
  if (number == 50) return "esp";
  if (number == 51) return "ah";
  return number == 108 ? "ipcomp" : to_decimal(number);
}

std::string print(const Arguments& arguments) {
  std::string text;
  append_bound(text, arguments, "--dir");
  append_bound(text, arguments, "--pol");
  append_bound(text, arguments, "--strict");
  bool first = true;
  for (const auto& element : elements(arguments)) {
    if (!first) append_option(text, false, "--next");
    first = false;
    for (const std::string_view name : kElement) {
      for (const BoundOption* option : element) {
        if (option->spec->name != name) continue;
        append_option(text, option->inverted, name,
                      name == "--proto" ? print_protocol(std::get<NumberRange>(option->value).lo)
                                        : print_value(option->spec->type, option->value));
      }
    }
  }
  return text;
}

constexpr OptionSpec part(std::string_view name, ValueType type) {
  return {.name = name, .type = type, .invertible = true, .multiple = true};
}

std::optional<std::string> refused(const Arguments& arguments, const RulePlace& place) {
  const bool in = *arguments.get<std::string>("--dir") == "in";
  for (const std::string_view hook : place.hooks) {
    const bool late = hook == "POSTROUTING" || hook == "OUTPUT";
    const bool early = hook == "PREROUTING" || hook == "INPUT";
    if (in && late) return "--dir in is not allowed in POSTROUTING and OUTPUT";
    if (!in && early) return "--dir out is not allowed in PREROUTING and INPUT";
  }
  return std::nullopt;
}

}  // namespace

extern const Match policy;
const Match policy{
    .name = "policy",
    .options = {{.name = "--dir", .type = ValueType::kText, .required = true},
                {.name = "--pol", .type = ValueType::kText, .required = true},
                {.name = "--strict"},
                part("--reqid", ValueType::kUnsigned),
                part("--spi", ValueType::kHex),
                part("--proto", ValueType::kProtocol),
                part("--mode", ValueType::kText),
                part("--tunnel-dst", ValueType::kHostMask),
                part("--tunnel-src", ValueType::kHostMask),
                {.name = "--next", .multiple = true}},
    .meaning = meaning,
    .print = print,
    .refused = refused,
};

}  // namespace postern::match
