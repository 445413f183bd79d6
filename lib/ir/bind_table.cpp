#include "ir/bind_table.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>

#include "ir/draft.hpp"
#include "ir/refusals.hpp"
#include "ir/rule_finish.hpp"
#include "ir/rule_reader.hpp"

namespace postern {
namespace {

constexpr std::size_t kLongestChainName = 28;  // XT_EXTENSION_MAXNAMELEN - 1

std::span<const std::string_view> builtin_chains(TableName table) {
  static constexpr std::array<std::string_view, 2> kRaw{"PREROUTING", "OUTPUT"};
  static constexpr std::array<std::string_view, 5> kMangle{"PREROUTING", "INPUT", "FORWARD",
                                                           "OUTPUT", "POSTROUTING"};
  static constexpr std::array<std::string_view, 4> kNat{"PREROUTING", "INPUT", "OUTPUT",
                                                        "POSTROUTING"};
  static constexpr std::array<std::string_view, 3> kFilter{"INPUT", "FORWARD", "OUTPUT"};
  switch (table) {
    case TableName::kRaw:
      return kRaw;
    case TableName::kMangle:
      return kMangle;
    case TableName::kNat:
      return kNat;
    case TableName::kFilter:
    case TableName::kSecurity:
      return kFilter;
  }
  return {};
}

struct NameHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view name) const {
    return std::hash<std::string_view>{}(name);
  }
};

class TableBinder : public ChainNames {
 public:
  TableBinder(const ast::File& file, TableName name, Family family, Backend backend,
              Diagnostics& errors, Diagnostics& warnings)
      : context_{*file.source, family, backend, this, errors, warnings},
        file_(file),
        refusals_(name, family, backend) {
    table_.name = name;
  }

  Table bind(const ast::Table& table, const Table* former) {
    table_.span = table.span;
    if (former != nullptr) keep_policies(*former);
    for (const ast::Line& line : table.lines) {
      if (const auto* chain = std::get_if<ast::ChainLine>(&line)) {
        declare(*chain);
      } else {
        rule(std::get<ast::RuleLine>(line));
      }
    }
    refusals_.report(table_, context_.warnings);
    return std::move(table_);
  }

  std::optional<std::size_t> find(std::string_view name, std::uint32_t) const override {
    const auto it = places_.find(name);
    if (it != places_.end()) return it->second;
    return std::nullopt;
  }

  bool builtin(std::string_view name) const override {
    const auto chains = builtin_chains(table_.name);
    return std::ranges::find(chains, name) != chains.end();
  }

 private:
  void keep_policies(const Table& former) {
    for (const Chain& chain : former.chains) {
      if (chain.policy != Policy::kDrop) continue;
      table_.chains[add(chain.name, chain.span)].policy = chain.policy;
    }
  }

  void declare(const ast::ChainLine& line) {
    const std::string name(context_.source.slice(line.name));
    const std::string_view policy = context_.source.slice(line.policy);
    if (!check_name(name, line.name)) return;
    if (!builtin(name)) {
      declare_user(name, line, policy);
      return;
    }
    Chain& chain = table_.chains[add(name, line.span)];
    chain.span = line.span;
    if (policy == "-") return;
    set_policy(chain, policy, line.policy);
    if (line.counters) chain.counters = Counters{line.counters->packets, line.counters->bytes};
  }

  void declare_user(const std::string& name, const ast::ChainLine& line, std::string_view policy) {
    static constexpr std::array<std::string_view, 4> kVerdicts{"ACCEPT", "DROP", "QUEUE", "RETURN"};
    if (std::ranges::find(kVerdicts, name) != kVerdicts.end()) {
      context_.error("chain", line.name, "a chain cannot be called " + name, "it is a verdict");
      return;
    }
    if (const auto earlier = find(name, line.span.begin)) {
      context_.error("chain", line.name, "chain \"" + name + "\" is declared twice",
                     "keep one line");
      context_.errors.back().notes.push_back({table_.chains[*earlier].span, "first here"});
      return;
    }
    Chain& chain = table_.chains[add(name, line.span)];
    if (line.counters) chain.counters = Counters{line.counters->packets, line.counters->bytes};
    if (policy == "-") return;
    context_.error("chain", line.policy,
                   "only built-in chains have a policy, and \"" + name + "\" is none of table " +
                       std::string(text(table_.name)),
                   "write  :" + name + " -");
  }

  bool check_name(const std::string& name, Span span) const {
    if (name.size() <= kLongestChainName) return true;
    context_.error("chain", span, "chain name \"" + name + "\" is longer than 28 bytes",
                   "shorten it");
    return false;
  }

  bool set_policy(Chain& chain, std::string_view policy, Span span) const {
    if (policy == "ACCEPT") {
      chain.policy = Policy::kAccept;
    } else if (policy == "DROP") {
      chain.policy = Policy::kDrop;
    } else {
      context_.error("chain", span, "\"" + std::string(policy) + "\" is no policy",
                     "a built-in chain's policy is ACCEPT or DROP");
      return false;
    }
    return true;
  }

  std::size_t add(const std::string& name, Span span) {
    const auto [it, fresh] = places_.try_emplace(name, table_.chains.size());
    if (fresh) {
      Chain chain{.name = name, .policy = {}, .counters = {}, .rules = {}, .span = span};
      if (builtin(name)) chain.policy = Policy::kAccept;
      table_.chains.push_back(std::move(chain));
    }
    return it->second;
  }

  void rule(const ast::RuleLine& line) {
    auto draft = read_rule_words(context_, file_.words_of(line));
    if (!draft || draft->other_family) return;
    if (line.counters) draft->counters = Counters{line.counters->packets, line.counters->bytes};
    switch (draft->command) {
      case 'N':
        return new_chain(*draft, line);
      case 'P':
        return policy_command(*draft);
      default:
        return add_rule(*draft, line);
    }
  }

  void new_chain(const Draft& draft, const ast::RuleLine& line) {
    const std::string& name = draft.chain.value;
    if (!check_name(name, draft.chain.span)) return;
    if (builtin(name) || find(name, line.span.begin)) {
      context_.error("chain", draft.chain.span, "chain \"" + name + "\" exists already",
                     "leave the line out");
      return;
    }
    add(name, line.span);
  }

  void policy_command(const Draft& draft) {
    const std::string& name = draft.chain.value;
    if (!builtin(name)) {
      context_.error(
          "chain", draft.chain.span,
          "\"" + name + "\" is no built-in chain of table " + std::string(text(table_.name)),
          "only those have a policy");
      return;
    }
    set_policy(table_.chains[add(name, draft.chain.span)], draft.chain_argument->value,
               draft.chain_argument->span);
  }

  void add_rule(const Draft& draft, const ast::RuleLine& line) {
    const std::string& name = draft.chain.value;
    auto place = find(name, line.span.begin);
    if (!place && builtin(name)) place = add(name, line.span);
    if (!place) {
      context_.error("chain", draft.chain.span,
                     "no chain \"" + name + "\" in table " + std::string(text(table_.name)),
                     "declare it before its rules with  :" + name + " - [0:0]");
    }
    if (table_.name == TableName::kNat && draft.target && draft.target->name == "DROP") {
      context_.error("bad-options", draft.target->span, "DROP is not allowed in table nat",
                     "that table sees only the first packet of a flow: drop in filter");
    }
    auto rules = finish_rule(context_, draft, line.span);
    if (!place || !rules) return;
    refusals_.add(draft, *place);
    std::vector<Rule>& all = table_.chains[*place].rules;
    std::size_t at = all.size();
    if (draft.command == 'I') {
      if (!insert_place(draft, all.size(), at)) return;
      // Each of the rules that "-s a,b" stands for is put before the one before it.
      std::ranges::reverse(*rules);
    }
    all.insert(all.begin() + static_cast<std::ptrdiff_t>(at),
               std::make_move_iterator(rules->begin()), std::make_move_iterator(rules->end()));
  }

  bool insert_place(const Draft& draft, std::size_t rules, std::size_t& at) const {
    at = 0;
    if (!draft.chain_argument) return true;
    const auto& [text, inverted, span] = *draft.chain_argument;
    std::size_t number = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool good = result.ec == std::errc{} && result.ptr == text.data() + text.size();
    if (!good || number == 0 || number > rules + 1) {
      context_.error("bad-value", span, "no place " + text + " in this chain",
                     "a number from 1 to " + std::to_string(rules + 1));
      return false;
    }
    at = number - 1;
    return true;
  }

  RuleContext context_;
  const ast::File& file_;
  Refusals refusals_;
  Table table_;
  std::unordered_map<std::string, std::size_t, NameHash, std::equal_to<>> places_;
};

}  // namespace

std::optional<TableName> table_name(std::string_view name) {
  for (std::size_t i = 0; i < kTableCount; ++i) {
    const auto table = static_cast<TableName>(i);
    if (text(table) == name) return table;
  }
  return std::nullopt;
}

Table bind_table(const ast::File& file, const ast::Table& table, TableName name, Family family,
                 Backend backend, const Table* former, Diagnostics& errors, Diagnostics& warnings) {
  return TableBinder(file, name, family, backend, errors, warnings).bind(table, former);
}

}  // namespace postern
