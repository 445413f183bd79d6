#include "ir/rule_reader.hpp"

#include <algorithm>
#include <charconv>

#include "ir/builtin_options.hpp"
#include "ir/option_help.hpp"
#include "net/protocol.hpp"
#include "vocabulary/registry.hpp"

namespace postern {
namespace {

// Thrown nowhere: a failed step returns false after it has reported what is wrong.
class Reader {
 public:
  Reader(const RuleContext& context, std::span<const ast::Word> words) : context_(context) {
    words_.reserve(words.size());
    for (const ast::Word& word : words) {
      const std::string_view spelling = context.source.slice(word.span);
      const bool quoted = word.kind == ast::WordKind::kQuoted;
      words_.push_back({quoted ? ast::unquote(spelling) : std::string(spelling), word.span});
    }
  }

  std::optional<Draft> read() {
    while (at_ < words_.size()) {
      if (!step()) return std::nullopt;
    }
    if (bang_) {
      context_.error("inversion", words_[*bang_].span, "nothing follows this !",
                     "put it before the option that it inverts");
      return std::nullopt;
    }
    return std::move(draft_);
  }

 private:
  // What an option word names.
  struct Named {
    const BuiltinOption* builtin = nullptr;
    Extension* extension = nullptr;
    const OptionSpec* spec = nullptr;
    bool ambiguous = false;
    explicit operator bool() const { return builtin != nullptr || spec != nullptr; }
  };

  bool fail(std::string code, Span span, std::string message, std::string help = "") {
    context_.error(std::move(code), span, std::move(message), std::move(help));
    return false;
  }

  static bool is_option(const RuleWord& word) {
    return word.text.size() > 1 && word.text.front() == '-';
  }

  bool step() {
    const RuleWord& word = words_[at_];
    if (word.text == "!") {
      if (bang_) return fail("inversion", word.span, "a second ! in a row", "keep one");
      bang_ = at_++;
      return true;
    }
    if (!is_option(word)) {
      return fail("syntax", word.span, "\"" + word.text + "\" belongs to no option",
                  "put the option before it, or quotes around a value with blanks");
    }
    begin_ = bang_.value_or(at_);
    const auto name = split_attached();
    const bool done = name && option(*name);
    bang_.reset();
    return done;
  }

  // "--dport=80" and "-mtcp": the value becomes a word of its own. Returns the option's name.
  std::optional<std::string> split_attached() {
    const RuleWord& word = words_[at_];
    std::size_t cut = std::string::npos;
    if (word.text.starts_with("--")) {
      cut = word.text.find('=');
    } else if (word.text.size() > 2) {
      cut = 2;
    }
    if (cut == std::string::npos) return word.text;
    const bool equals = word.text[cut] == '=' && word.text.starts_with("--");
    std::string name = word.text.substr(0, cut);
    const Named named = resolve(name);
    const bool takes_value = named.builtin != nullptr ? named.builtin->words > 0
                             : named.spec != nullptr  ? word_count(named.spec->type) > 0
                                                      : equals;
    const bool whole_word = named.builtin != nullptr && takes_value &&
                            (named.builtin->invertible || named.builtin->meaning == Builtin::kJump);
    if (whole_word) {  // what iptables 1.8.9 takes for the value, and refuses
      fail("syntax", word.span, "the value of " + name + " runs into it", "put a blank between");
      return std::nullopt;
    }
    std::string rest = !takes_value && !equals ? "-" : "";  // "-fv": flags run together
    rest += word.text.substr(cut + (equals ? 1 : 0));
    RuleWord value{std::move(rest), word.span};
    words_[at_].text = name;
    words_.insert(words_.begin() + static_cast<std::ptrdiff_t>(at_) + 1, std::move(value));
    return name;
  }

  bool option(const std::string& name) {
    Named named = resolve(name);
    if (named.ambiguous) {
      return fail("unknown-option", words_[at_].span,
                  "\"" + name + "\" is the beginning of several options", "write the option out");
    }
    if (!named && newest_unknown() == nullptr) named = load_for(name);
    if (named.builtin != nullptr) return builtin(*named.builtin);
    if (named.spec != nullptr) return extension_option(*named.extension, *named.spec);
    return unknown_option(name);
  }

  Named resolve(const std::string& name) {
    Named found;
    bool abbreviated_twice = false;
    // Abbreviations mean nothing while an unknown extension may own the word as it stands.
    const bool abbreviations = newest_unknown() == nullptr;
    const auto offer = [&](Named candidate) {
      abbreviated_twice = abbreviated_twice || static_cast<bool>(found);
      found = candidate;
    };
    for (const BuiltinOption& option : builtin_options()) {
      if (!available(option)) continue;
      if (name.size() == 2 && name[1] == option.letter) return {.builtin = &option};
      for (const std::string_view candidate : option.names) {
        if (!candidate.empty() && candidate == name) return {.builtin = &option};
      }
    }
    for (Extension* extension : newest_first()) {
      const FoundOption option = find_option(extension->specs(), name);
      if (option.exact) return {.extension = extension, .spec = option.spec};
      if (!abbreviations) continue;
      if (option.ambiguous) abbreviated_twice = true;
      if (option.spec == found.spec) continue;  // the same match once more: the newest has it
      if (option.spec != nullptr) offer({.extension = extension, .spec = option.spec});
    }
    if (abbreviations && name.starts_with("--") && name.size() > 2) {
      for (const BuiltinOption& option : builtin_options()) {
        if (available(option) && std::ranges::any_of(option.names, [&](std::string_view candidate) {
              return candidate.starts_with(name);
            })) {
          offer({.builtin = &option});
        }
      }
    }
    if (abbreviated_twice) return {.ambiguous = true};
    return found;
  }

  bool available(const BuiltinOption& option) const {
    if (option.meaning == Builtin::kFragment) return context_.family == Family::kIpv4;
    return true;
  }

  std::vector<Extension*> newest_first() {
    std::vector<Extension*> all;
    if (draft_.target && target_is_newest_) all.push_back(&*draft_.target);
    for (auto it = draft_.matches.rbegin(); it != draft_.matches.rend(); ++it) all.push_back(&*it);
    if (draft_.target && !target_is_newest_) all.push_back(&*draft_.target);
    return all;
  }

  Extension* newest_unknown() {
    for (Extension* extension : newest_first()) {
      if (!extension->known()) return extension;
    }
    return nullptr;
  }

  // The match of the rule's protocol, or what a question may leave out, when it has this option.
  Named load_for(const std::string& name) {
    const Match* match = nullptr;
    if (draft_.protocol) match = protocol_match(draft_.protocol->value, context_.family);
    if (match == nullptr || find_option(match->options, name).spec == nullptr) {
      match = context_.question() ? question_match(name, context_.family) : nullptr;
    }
    if (match == nullptr) return {};
    const auto loaded = [&](const Extension& extension) { return extension.match == match; };
    if (std::ranges::any_of(draft_.matches, loaded)) return {};
    draft_.matches.push_back(
        {.name = std::string(match->name), .span = words_[at_].span, .match = match});
    target_is_newest_ = false;
    return resolve(name);
  }

  // The words of an option: false (reported) when they are not all there.
  bool take(std::string_view option, unsigned count, bool invertible,
            std::vector<std::string>& out) {
    const std::size_t option_at = at_++;
    if (count > 0 && invertible && at_ < words_.size() && words_[at_].text == "!") {
      if (bang_)
        return fail("inversion", words_[at_].span, "a second ! for the same option", "keep one");
      bang_ = at_++;  // the old form, "-s ! 192.0.2.1"
    }
    for (unsigned i = 0; i < count; ++i, ++at_) {
      if (at_ >= words_.size()) {
        return fail("missing-value", words_[option_at].span,
                    std::string(option) + " needs " + (count == 1 ? "a value" : "two values"));
      }
      out.push_back(words_[at_].text);
    }
    return true;
  }

  Span span_since_begin() const { return {words_[begin_].span.begin, words_[at_ - 1].span.end}; }

  bool extension_option(Extension& extension, const OptionSpec& spec) {
    std::vector<std::string> values;
    if (!take(spec.name, word_count(spec.type), spec.invertible, values)) return false;
    const Span span = span_since_begin();
    Arguments arguments = draft_.arguments(extension, context_.family);
    // A match of one protocol takes its values for that, whatever -p says ("-p udp -m tcp").
    if (extension.match != nullptr && extension.match->protocols.size() == 1) {
      arguments.protocol = extension.match->protocols[0];
      arguments.protocol_inverted = false;
    }
    auto bound = read_option(spec, bang_.has_value(), values, arguments);
    if (!bound) {
      return fail("bad-value", span, bound.error().message, bound.error().help);
    }
    bound->span = span;
    keep_words(extension);
    extension.options.push_back(std::move(*bound));
    return true;
  }

  void keep_words(Extension& extension) {
    for (std::size_t i = begin_; i < at_; ++i) extension.words.push_back(words_[i]);
    extension.span.end = std::max(extension.span.end, words_[at_ - 1].span.end);
  }

  // An option that nobody owns: it stays with what postern does not know, or with the newest known
  // extension, which is then opaque as a whole. Its values: all words before the next option.
  bool unknown_option(const std::string& name) {
    Extension* owner = newest_unknown();
    if (owner == nullptr) owner = adopt(name);
    if (owner == nullptr) return false;
    ++at_;
    while (at_ < words_.size() && !is_option(words_[at_]) && words_[at_].text != "!") ++at_;
    keep_words(*owner);
    return true;
  }

  // Who takes an option that all known extensions lack; nullptr (reported): nobody can.
  Extension* adopt(const std::string& name) {
    const auto loaded = newest_first();
    const Match* implied =
        draft_.protocol ? protocol_match(draft_.protocol->value, context_.family) : nullptr;
    const std::string help =
        option_help(name, loaded, implied, context_.family, context_.question());
    if (help.empty() && !context_.question()) {
      if (Extension* unknown = load_unknown_protocol_match()) return unknown;
      if (!loaded.empty() && !loaded.front()->specs().empty()) {
        Extension* owner = loaded.front();
        context_.unknown(words_[at_].span,
                         "option \"" + name + "\" of " + owner->name + " is unknown",
                         "postern takes every value of it into account");
        owner->unknown_option = name;
        return owner;
      }
    }
    fail("unknown-option", words_[at_].span, "unknown option \"" + name + "\"", help);
    return nullptr;
  }

  // "-p PROTOCOL" would load a match that postern does not know.
  Extension* load_unknown_protocol_match() {
    if (!draft_.protocol) return nullptr;
    const std::string_view name = protocol_match_name(draft_.protocol->value, context_.family);
    if (name.empty() || find_match(name, context_.family) != nullptr) return nullptr;
    Span span = words_[at_].span;
    load_match(std::string(name), span);
    return &draft_.matches.back();
  }

  // ---- built-in options ----

  bool builtin(const BuiltinOption& option) {
    const Span name_span = words_[at_].span;
    std::vector<std::string> values;
    if (!take(words_[at_].text, option.words, option.invertible, values)) return false;
    if (bang_ && !option.invertible) {
      return fail("inversion", words_[*bang_].span,
                  std::string(option.names[0]) + " cannot be inverted", "leave the ! out");
    }
    const Span span = span_since_begin();
    switch (option.meaning) {
      case Builtin::kCommand:
        return command(option, values, span);
      case Builtin::kForeignCommand:
        return fail("command", name_span,
                    std::string(option.names[0]) + " does not belong in a saved ruleset",
                    "only -A, -I, -N and -P are read");
      case Builtin::kSource:
        return address(draft_.source, values[0], span);
      case Builtin::kDestination:
        return address(draft_.destination, values[0], span);
      case Builtin::kInput:
        return interface(draft_.input, values[0], span);
      case Builtin::kOutput:
        return interface(draft_.output, values[0], span);
      case Builtin::kProtocol:
        return protocol(values[0], span);
      case Builtin::kFragment:
        return once(draft_.fragment, true, span);
      case Builtin::kMatch:
        return load_match(values[0], span);
      case Builtin::kJump:
        return jump(values[0], span);
      case Builtin::kGoto:
        return go_to(values[0], span);
      case Builtin::kCounters:
        return counters(values[0], span);
      case Builtin::kIpv4:
      case Builtin::kIpv6:
        if ((option.meaning == Builtin::kIpv4) != (context_.family == Family::kIpv4)) {
          draft_.other_family = true;
          at_ = words_.size();
        }
        return true;
      case Builtin::kVerbose:
        return true;
      case Builtin::kTable:
        return fail("command", span, "a table cannot be named here", "put the rule behind *NAME");
      case Builtin::kForbidden:
        return fail("command", span, std::string(option.names[0]) + " has no place in a rule",
                    "leave it out");
    }
    return true;
  }

  template <class T>
  bool once(std::optional<Given<T>>& slot, T value, Span span) {
    if (slot) return fail("duplicate-option", span, "this option is given twice", "keep one");
    slot = Given<T>{std::move(value), bang_.has_value(), span};
    return true;
  }

  bool command(const BuiltinOption& option, const std::vector<std::string>& values, Span span) {
    if (context_.question())
      return fail("command", span, "a question has no command", "leave it out");
    if (draft_.command != '\0')
      return fail("command", span, "a second command", "write one rule a line");
    draft_.command = option.letter;
    const std::size_t first = at_ - values.size();
    draft_.chain = {values[0], false, words_[first].span};
    if (values.size() > 1) draft_.chain_argument = {values[1], false, words_[first + 1].span};
    const bool number = option.letter == 'I' && at_ < words_.size() && !is_option(words_[at_]) &&
                        words_[at_].text != "!";
    if (number) {
      const RuleWord& word = words_[at_++];
      if (!std::ranges::all_of(word.text, [](char c) { return c >= '0' && c <= '9'; })) {
        return fail("bad-value", word.span, "no place " + word.text + " in this chain",
                    "a number from 1 on");
      }
      draft_.chain_argument = {word.text, false, word.span};
    }
    return true;
  }

  bool address(std::optional<Given<std::vector<Prefix>>>& slot, const std::string& text,
               Span span) {
    const std::vector<std::string> words{text};
    auto value = read_value(ValueType::kPrefixList, words, {.family = context_.family});
    if (!value)
      return fail("bad-value", words_[at_ - 1].span, value.error().message, value.error().help);
    auto& prefixes = std::get<std::vector<Prefix>>(*value);
    return once(slot, std::move(prefixes), span);
  }

  bool interface(std::optional<Given<InterfacePattern>>& slot, const std::string& text, Span span) {
    constexpr std::size_t kLongest = 15;
    if (text.empty()) return fail("bad-value", span, "an empty interface name", "\"+\" means any");
    if (text.size() > kLongest) {
      return fail("bad-value", words_[at_ - 1].span,
                  "interface name \"" + text + "\" is longer than 15 bytes",
                  "end it with + to match a beginning");
    }
    return once(slot, InterfacePattern::parse(text), span);
  }

  bool protocol(const std::string& text, Span span) {
    const auto number = protocol_number(text);
    if (!number) {
      return fail("bad-value", words_[at_ - 1].span, "unknown protocol \"" + text + "\"",
                  "use a number from 0 to 255 or a name such as tcp, udp or icmp");
    }
    if (*number == 0 && bang_) {
      return fail("inversion", span, "a rule for no protocol would never match", "leave it out");
    }
    return once(draft_.protocol, *number, span);
  }

  bool load_match(const std::string& name, Span span) {
    const Match* match = find_match(match_alias(name), context_.family);
    if (match == nullptr) {
      context_.unknown(span, "match \"" + name + "\" is unknown",
                       "postern takes it for one that may match, or not, or drop the packet");
    }
    draft_.matches.push_back(
        {.name = match != nullptr ? std::string(match->name) : name, .span = span, .match = match});
    target_is_newest_ = false;
    return true;
  }

  bool jump(const std::string& name, Span span) {
    if (context_.question())
      return fail("command", span, "a question has no target", "leave it out");
    if (draft_.target || draft_.jump || draft_.go_to) {
      return fail("duplicate-option", span, "a second target",
                  "a rule has one: write another rule");
    }
    const Target* target = find_target(name, context_.family);
    const Span name_span = words_[at_ - 1].span;
    if (target == nullptr && context_.chains->find(name, span.begin)) {
      if (context_.chains->builtin(name)) {
        return fail("chain", name_span, "\"" + name + "\" is a built-in chain",
                    "jump to one of your own");
      }
      draft_.jump = {name, false, span};
      return true;
    }
    if (target == nullptr && !looks_like_target(name)) {
      return fail("chain", name_span, "no chain \"" + name + "\" in this table",
                  "declare it before its use with  :" + name + " - [0:0]");
    }
    if (target == nullptr) {
      context_.unknown(span, "target \"" + name + "\" is unknown, and no chain has this name",
                       "postern takes every verdict and every change of the packet into account");
    }
    draft_.target = Extension{.name = name, .span = span, .target = target};
    target_is_newest_ = true;
    return true;
  }

  bool go_to(const std::string& name, Span span) {
    if (context_.question())
      return fail("command", span, "a question has no target", "leave it out");
    if (draft_.target || draft_.jump || draft_.go_to) {
      return fail("duplicate-option", span, "a second target",
                  "a rule has one: write another rule");
    }
    if (!context_.chains->find(name, span.begin) || context_.chains->builtin(name)) {
      return fail("chain", words_[at_ - 1].span,
                  "-g needs a chain of your own, and \"" + name + "\" is none",
                  "declare it before its use with  :" + name + " - [0:0]");
    }
    draft_.go_to = {name, false, span};
    return true;
  }

  // "-c PACKETS BYTES" or "-c PACKETS,BYTES".
  bool counters(const std::string& first, Span span) {
    if (draft_.counters) {
      return fail("duplicate-option", span, "this option is given twice", "keep one");
    }
    std::vector<std::string> values = split(first, ',');
    if (values.size() == 1 && at_ < words_.size() && !is_option(words_[at_])) {
      values.push_back(words_[at_++].text);
    }
    if (values.size() != 2) {
      return fail("missing-value", span, "-c needs two counters", "write -c PACKETS BYTES");
    }
    Counters read;
    std::uint64_t* const slots[] = {&read.packets, &read.bytes};
    for (std::size_t i = 0; i < 2; ++i) {
      const char* const stop = values[i].data() + values[i].size();
      const auto result = std::from_chars(values[i].data(), stop, *slots[i]);
      if (result.ec != std::errc{} || result.ptr != stop) {
        return fail("bad-value", span, "\"" + values[i] + "\" is no counter",
                    "write -c PACKETS BYTES");
      }
    }
    draft_.counters = read;
    return true;
  }

  const RuleContext& context_;
  std::vector<RuleWord> words_;
  std::size_t at_ = 0;
  std::size_t begin_ = 0;            // first word of the option being read, its ! included
  std::optional<std::size_t> bang_;  // a ! that waits for its option
  bool target_is_newest_ = false;
  Draft draft_;
};

}  // namespace

std::optional<Draft> read_rule_words(const RuleContext& context, std::span<const ast::Word> words) {
  return Reader(context, words).read();
}

}  // namespace postern
