#include "analyzer/question.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "base/overloaded.hpp"
#include "ir/bind.hpp"

namespace postern {
namespace {

// What a question may name about the flow's first packet; fragment offset and truncation are the
// guards that transport matches bring along.
constexpr std::array kAskable{
    Field::kSource,    Field::kDestination, Field::kProtocol,        Field::kFragmentOffset,
    Field::kTruncated, Field::kSourcePort,  Field::kDestinationPort, Field::kTcpFlags,
    Field::kIcmpType,  Field::kIcmpCode,    Field::kLength,          Field::kTtl,
    Field::kTos,       Field::kMark,
};
// --find and --every take fields that are constant over the flow, or of its first packet.
constexpr std::array kCountable{
    Field::kSource,          Field::kDestination, Field::kProtocol, Field::kSourcePort,
    Field::kDestinationPort, Field::kTcpFlags,    Field::kIcmpType, Field::kIcmpCode,
    Field::kLength,          Field::kTtl,         Field::kTos,
};

// What `conntrack -L` calls the states of an entry: TCP's, then SCTP's own.
constexpr std::array<std::string_view, 16> kEntryStates{
    "SYN_SENT",      "SYN_RECV",      "ESTABLISHED",       "FIN_WAIT",
    "CLOSE_WAIT",    "LAST_ACK",      "TIME_WAIT",         "CLOSE",
    "SYN_SENT2",     "CLOSED",        "COOKIE_WAIT",       "COOKIE_ECHOED",
    "SHUTDOWN_SENT", "SHUTDOWN_RECD", "SHUTDOWN_ACK_SENT", "HEARTBEAT_SENT"};

bool in(std::span<const Field> list, Field field) {
  return std::ranges::find(list, field) != list.end();
}

// What about this predicate a question may not ask; empty when all is well.
std::string not_askable(const Predicate& p) {
  const auto field = [](Field f) {
    return in(kAskable, f) ? std::string() : fmt::format("`{}`", info(f).name);
  };
  const auto list = [](const std::vector<PredicatePtr>& operands) {
    for (const auto& o : operands) {
      if (auto bad = not_askable(*o); !bad.empty()) return bad;
    }
    return std::string();
  };
  return std::visit(Overloaded{[](const Const&) { return std::string(); },
                               [](const InterfaceIs&) { return std::string(); },
                               [&](const InRange& n) { return field(n.field); },
                               [&](const Masked& n) { return field(n.field); },
                               [](const TcpOption&) { return std::string("a TCP option"); },
                               [](const Opaque& n) { return fmt::format("`{}`", n.why); },
                               [](const Not& n) { return not_askable(*n.operand); },
                               [&](const All& n) { return list(n.operands); },
                               [&](const Any& n) { return list(n.operands); }},
                    p.node);
}

std::optional<Path> path_named(std::string_view word) {
  for (const Path p : {Path::kIn, Path::kOut, Path::kForward, Path::kLoopback}) {
    if (text(p) == word) return p;
  }
  return std::nullopt;
}

std::optional<Field> countable_named(std::string_view word) {
  for (const Field f : kCountable) {
    if (info(f).name == word) return f;
  }
  return std::nullopt;
}

// Reads the words one after the other. Words that are the question's own are taken out of the text
// (overwritten by blanks), what is left goes to the vocabulary: so every span stays right.
class Reader {
 public:
  Reader(const std::vector<std::string>& words, Family family, const QuestionDefaults& defaults)
      : words_(words), source_(joined_words(words)), rest_(source_->text()) {
    question_.family = family;
    question_.source = source_;
    question_.text = std::string(source_->text());
    std::uint32_t at = 0;
    for (const auto& word : words) {
      const auto end = at + static_cast<std::uint32_t>(word.size());
      spans_.push_back({at, end});
      at = end + 1;
    }
    path_ = defaults.path;
    for (const auto& list : defaults.find) fields(list, {}, question_.find);
    for (const auto& list : defaults.every) fields(list, {}, question_.every);
    describe_defaults(defaults);
  }

  Result<Question> read() {
    verb();
    for (std::size_t i = 1; i < words_.size(); ++i) own_option(i);
    matches();
    if (errors_.empty()) paths();
    for (const Field f : question_.find) {
      if (in(question_.every, f)) {
        error({}, fmt::format("`{}` stands under --find and under --every", info(f).name), "");
      }
    }
    if (question_.entry_state && question_.verb != Verb::kTrack) {
      error(entry_state_span_, "--entry-state is only for `track`",
            "`track --entry-state SYN_SENT ...`");
    }
    if (!errors_.empty()) return tl::unexpected(errors_);
    return question_;
  }

 private:
  void error(Span span, std::string message, std::string help) {
    errors_.push_back({Severity::kError, "usage", span, std::move(message), std::move(help), {}});
  }

  void describe_defaults(const QuestionDefaults& defaults) {
    std::string before;
    const auto add = [&before](std::string_view option, const std::vector<std::string>& lists) {
      if (!lists.empty()) before += fmt::format("{} {} ", option, fmt::join(lists, ","));
    };
    add("--find", defaults.find);
    add("--every", defaults.every);
    question_.text = before + question_.text;
  }

  void verb() {
    for (const Verb v : {Verb::kDeliver, Verb::kConnect, Verb::kTrack}) {
      if (!words_.empty() && words_[0] == text(v)) {
        question_.verb = v;
        blank(0);
        return;
      }
    }
    error(words_.empty() ? Span{} : spans_[0], "a question begins with deliver, connect or track",
          "for example `connect -i eth0 -p tcp --dport 22`");
    if (!words_.empty()) blank(0);
  }

  void blank(std::size_t i) {
    std::fill(rest_.begin() + spans_[i].begin, rest_.begin() + spans_[i].end, ' ');
  }

  // Takes option `i` (and the ! before it) and its value out of the text when it is one of the
  // question's own.
  void own_option(std::size_t& i) {
    static constexpr std::array<std::string_view, 6> kOwn{
        "--path", "--entry-state", "--to-destination", "--to-port", "--find", "--every"};
    const bool inverted = words_[i] == "!" && i + 1 < words_.size();
    const std::string& word = words_[i + (inverted ? 1 : 0)];
    if (std::ranges::find(kOwn, word) == kOwn.end()) return;
    blank(i);
    if (inverted) {
      if (word == "--to-destination") {
        question_.not_to_destination = true;
      } else if (word == "--to-port") {
        question_.not_to_port = true;
      } else {
        error(spans_[i], fmt::format("`{}` is not inverted", word), "");
      }
      blank(++i);
    }
    if (i + 1 >= words_.size()) {
      error(spans_[i], fmt::format("`{}` needs a value", word), "");
      return;
    }
    const std::string& value = words_[++i];
    blank(i);
    own_value(word, value, spans_[i]);
  }

  void own_value(std::string_view option, const std::string& value, Span span) {
    if (option == "--path") {
      path_ = path_named(value);
      path_span_ = span;
      if (!path_)
        error(span, fmt::format("`{}` is no path", value), "in, out, forward or loopback");
    } else if (option == "--entry-state") {
      question_.entry_state = value;
      for (char& c : *question_.entry_state) c = static_cast<char>(std::toupper(c));
      entry_state_span_ = span;
      if (std::ranges::find(kEntryStates, *question_.entry_state) == kEntryStates.end()) {
        error(span, fmt::format("`{}` is no state of a conntrack entry", value),
              fmt::format("one of {}", fmt::join(kEntryStates, ", ")));
      }
    } else if (option == "--to-destination") {
      question_.to_destination = Prefix::parse(value, question_.family);
      if (!question_.to_destination) error(span, fmt::format("`{}` is no address", value), "");
    } else if (option == "--to-port") {
      std::uint16_t port = 0;
      const auto [end, bad] = std::from_chars(value.data(), value.data() + value.size(), port);
      if (bad != std::errc() || end != value.data() + value.size()) {
        error(span, fmt::format("`{}` is no port", value), "a number from 0 to 65535");
      }
      question_.to_port = port;
    } else {
      fields(value, span, option == "--find" ? question_.find : question_.every);
    }
  }

  void fields(std::string_view list, Span span, std::vector<Field>& into) {
    while (!list.empty()) {
      const auto comma = list.find(',');
      const std::string_view name = list.substr(0, comma);
      list = comma == std::string_view::npos ? "" : list.substr(comma + 1);
      if (const auto field = countable_named(name)) {
        if (!in(into, *field)) into.push_back(*field);
        continue;
      }
      std::vector<std::string_view> names;
      for (const Field f : kCountable) names.push_back(info(f).name);
      error(span, fmt::format("`{}` is no numeric field", name),
            fmt::format("one of {}", fmt::join(names, ", ")));
    }
  }

  void matches() {
    const auto source = std::make_shared<const SourceFile>(source_->name(), rest_);
    auto clauses = read_match_words(source, question_.family);
    if (!clauses) {
      errors_.insert(errors_.end(), clauses.error().begin(), clauses.error().end());
      return;
    }
    for (const Clause& clause : *clauses) {
      const std::string bad =
          clause.known ? not_askable(*clause.predicate) : fmt::format("`{}`", clause.module);
      if (bad.empty()) continue;
      error(clause.span, fmt::format("a question may not name {}", bad),
            "interfaces, addresses, protocol, ports, flags, ICMP type, length, tos, ttl and mark");
    }
    question_.match = std::move(*clauses);
  }

  // The pattern of a plain (not negated) -i or -o.
  const InterfacePattern* interface(bool output) const {
    for (const Clause& clause : question_.match) {
      const auto* is = std::get_if<InterfaceIs>(&clause.predicate->node);
      if (is != nullptr && is->output == output) return &is->pattern;
    }
    return nullptr;
  }

  void paths() {
    const InterfacePattern* in = interface(false);
    const InterfacePattern* out = interface(true);
    const auto loopback = [](const InterfacePattern* p) {
      return p != nullptr && !p->prefix && p->name == "lo";
    };
    std::vector<Path> possible;
    if (loopback(in) || loopback(out)) {
      possible = {Path::kLoopback};
    } else if (in != nullptr && out != nullptr) {
      possible = {Path::kForward};
    } else if (in != nullptr) {
      possible = {Path::kIn, Path::kForward};
    } else if (out != nullptr) {
      possible = {Path::kOut, Path::kForward};
      alone_ = Path::kOut;
    } else {
      possible = {Path::kIn, Path::kOut, Path::kForward, Path::kLoopback};
    }
    if (!path_) {
      question_.paths = alone_ ? std::vector{*alone_} : possible;
      return;
    }
    if (std::ranges::find(possible, *path_) == possible.end()) {
      error(path_span_,
            fmt::format("no packet on the path `{}` has these interfaces", text(*path_)),
            "`lo` is on `loopback` only; `in` has no -o, `out` has no -i");
      return;
    }
    question_.paths = {*path_};
  }

  const std::vector<std::string>& words_;
  std::shared_ptr<const SourceFile> source_;
  std::string rest_;
  std::vector<Span> spans_;
  Question question_;
  Span path_span_, entry_state_span_;
  std::optional<Path> path_, alone_;  // asked for; what -o alone means
  Diagnostics errors_;
};

}  // namespace

std::string_view text(Verb verb) {
  switch (verb) {
    case Verb::kDeliver:
      return "deliver";
    case Verb::kConnect:
      return "connect";
    case Verb::kTrack:
      return "track";
  }
  return "";
}

PredicatePtr Question::predicate() const {
  std::vector<PredicatePtr> parts;
  for (const Clause& clause : match) parts.push_back(clause.predicate);
  return all(std::move(parts));
}

std::shared_ptr<const SourceFile> joined_words(const std::vector<std::string>& words) {
  return std::make_shared<const SourceFile>("question", fmt::format("{}", fmt::join(words, " ")));
}

std::optional<Family> family_of_words(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    const std::string_view head = std::string_view(word).substr(0, word.find('/'));
    const std::string_view first = head.substr(0, head.find(','));
    if (const auto address = Address::parse(first)) {
      if (address->family == Family::kIpv6 || first.find('.') != std::string_view::npos) {
        return address->family;
      }
    }
    if (word == "icmpv6" || word == "ipv6-icmp" || word == "--icmpv6-type") return Family::kIpv6;
    if (word == "icmp" || word == "--icmp-type") return Family::kIpv4;
  }
  return std::nullopt;
}

Result<Question> read_question(const std::vector<std::string>& words, Family family,
                               const QuestionDefaults& defaults) {
  return Reader(words, family, defaults).read();
}

}  // namespace postern
