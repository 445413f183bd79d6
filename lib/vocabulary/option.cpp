// What is the same for every extension: finding and reading options, checking that they go
// together, printing them. Declared in descriptor.hpp. Covered by tests/unit/vocabulary_test.cpp.
#include <algorithm>

#include "net/protocol.hpp"
#include "vocabulary/descriptor.hpp"

namespace postern {
namespace {

using Trouble = std::optional<Complaint>;

bool names(const OptionSpec& spec, std::string_view word) {
  return spec.name == word || std::ranges::find(spec.aliases, word) != spec.aliases.end();
}

bool begins(const OptionSpec& spec, std::string_view word) {
  if (spec.name.starts_with(word)) return true;
  return std::ranges::any_of(spec.aliases, [&](auto alias) { return alias.starts_with(word); });
}

Trouble check_family(std::span<const Family> families, Family family) {
  if (std::ranges::find(families, family) != families.end()) return std::nullopt;
  return Complaint{family == Family::kIpv4 ? "only ip6tables knows it" : "only iptables knows it",
                   ""};
}

Trouble check_repeats(const Arguments& arguments) {
  for (std::size_t i = 0; i < arguments.options.size(); ++i) {
    const OptionSpec& later = *arguments.options[i].spec;
    for (std::size_t j = 0; j < i; ++j) {
      const OptionSpec& earlier = *arguments.options[j].spec;
      if (&earlier == &later && !later.multiple) {
        return Complaint{std::string(later.name) + " is given twice", "give it once"};
      }
      if (&earlier != &later && !later.excludes.empty() && later.excludes == earlier.excludes) {
        return Complaint{
            std::string(earlier.name) + " and " + std::string(later.name) + " exclude each other",
            "keep one of them"};
      }
    }
  }
  return std::nullopt;
}

// Of a group with a required member one is enough.
Trouble check_required(std::span<const OptionSpec> specs, const Arguments& arguments) {
  for (const OptionSpec& spec : specs) {
    if (!spec.required) continue;
    const auto satisfies = [&](const BoundOption& option) {
      return option.spec == &spec ||
             (!spec.excludes.empty() && option.spec->excludes == spec.excludes);
    };
    if (std::ranges::none_of(arguments.options, satisfies)) {
      return Complaint{"an option is missing", "add " + std::string(spec.name)};
    }
  }
  return std::nullopt;
}

template <class Descriptor>
Trouble check(const Descriptor& descriptor, const Arguments& arguments) {
  Trouble trouble = check_family(descriptor.families, arguments.family);
  if (!trouble) trouble = check_repeats(arguments);
  if (!trouble) trouble = check_required(descriptor.options, arguments);
  return trouble;
}

using Refusal = std::optional<std::string>;

bool names_protocol(std::span<const std::uint8_t> protocols, const Arguments& arguments) {
  return arguments.protocol && std::ranges::find(protocols, *arguments.protocol) != protocols.end();
}

Refusal refuses_protocol(std::span<const std::uint8_t> protocols, const Arguments& arguments) {
  if (protocols.empty()) return std::nullopt;
  if (names_protocol(protocols, arguments) && !arguments.protocol_inverted) return std::nullopt;
  std::string wanted;
  for (const std::uint8_t number : protocols) {
    wanted += (wanted.empty() ? "-p " : " or -p ") + protocol_name(number);
  }
  return "it needs " + wanted;
}

// `what` is "table" or "chain".
Refusal refuses_place(std::span<const std::string_view> allowed,
                      std::span<const std::string_view> places, std::string_view what) {
  if (allowed.empty()) return std::nullopt;
  for (const std::string_view place : places) {
    if (std::ranges::find(allowed, place) == allowed.end()) {
      return "it is not allowed in " + std::string(what) + " " + std::string(place);
    }
  }
  return std::nullopt;
}

template <class Descriptor>
Refusal refuses(const Descriptor& descriptor, const Arguments& arguments, const RulePlace& place) {
  Refusal refusal = refuses_protocol(descriptor.protocols, arguments);
  if (!refusal) refusal = refuses_place(descriptor.tables, std::span(&place.table, 1), "table");
  if (!refusal) refusal = refuses_place(descriptor.hooks, place.hooks, "chain");
  if (!refusal && descriptor.refused) refusal = descriptor.refused(arguments, place);
  return refusal;
}

template <class Descriptor>
std::string print(std::string_view flag, const Descriptor& descriptor, const Arguments& arguments) {
  const std::string options =
      descriptor.print ? descriptor.print(arguments) : print_options(descriptor.options, arguments);
  std::string text = std::string(flag) + std::string(descriptor.name);
  return options.empty() ? text : text + " " + options;
}

}  // namespace

const BoundOption* Arguments::find(std::string_view name) const {
  const auto it = std::ranges::find_if(
      options, [&](const BoundOption& option) { return option.spec->name == name; });
  return it == options.end() ? nullptr : &*it;
}

FoundOption find_option(std::span<const OptionSpec> options, std::string_view word) {
  for (const OptionSpec& spec : options) {
    if (names(spec, word)) return {&spec, true, false};
  }
  if (!word.starts_with("--") || word.size() < 3) return {};
  FoundOption found;
  for (const OptionSpec& spec : options) {
    if (!begins(spec, word)) continue;
    if (found.spec != nullptr) return {nullptr, false, true};
    found.spec = &spec;
  }
  return found;
}

tl::expected<BoundOption, Complaint> read_option(const OptionSpec& spec, bool inverted,
                                                 std::span<const std::string> words,
                                                 const Arguments& rule) {
  if (inverted && !spec.invertible) {
    return tl::unexpected(
        Complaint{std::string(spec.name) + " cannot be inverted", "leave the ! out"});
  }
  const bool any = rule.protocol_inverted || spec.any_service;
  const auto protocol = any ? std::nullopt : rule.protocol;
  auto value = read_value(spec.type, words, {rule.family, protocol, spec.min, spec.max});
  if (!value) return tl::unexpected(std::move(value.error()));
  return BoundOption{&spec, inverted, std::move(*value), {}};
}

tl::expected<MatchMeaning, Complaint> bind_match(const Match& match, const Arguments& arguments) {
  if (auto trouble = check(match, arguments)) return tl::unexpected(std::move(*trouble));
  return match.meaning(arguments);
}

tl::expected<Effect, Complaint> bind_target(const Target& target, const Arguments& arguments) {
  if (auto trouble = check(target, arguments)) return tl::unexpected(std::move(*trouble));
  return target.effect(arguments);
}

bool beside_inverted_protocol(const Match& match, const Arguments& arguments) {
  return arguments.protocol_inverted && names_protocol(match.protocols, arguments);
}

std::optional<std::string> kernel_refuses(const Match& match, const Arguments& arguments,
                                          const RulePlace& place) {
  return refuses(match, arguments, place);
}

std::optional<std::string> kernel_refuses(const Target& target, const Arguments& arguments,
                                          const RulePlace& place) {
  return refuses(target, arguments, place);
}

std::string print_options(std::span<const OptionSpec> specs, const Arguments& arguments) {
  std::string text;
  for (const OptionSpec& spec : specs) {
    for (const BoundOption& option : arguments.options) {
      if (option.spec != &spec) continue;
      if (!text.empty()) text += ' ';
      if (option.inverted) text += "! ";
      text += spec.name;
      const std::string value = print_value(spec.type, option.value);
      if (!value.empty()) text += " " + value;
    }
  }
  return text;
}

std::string print_match(const Match& match, const Arguments& arguments) {
  return print("-m ", match, arguments);
}

std::string print_target(const Target& target, const Arguments& arguments) {
  return print("-j ", target, arguments);
}

}  // namespace postern
