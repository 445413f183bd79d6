// The command line as CLI11 tables. Everything behind the first "--" is taken off before CLI11 sees
// the line: a question's own words (-i, -p, !) are none of our options.
// Invariant: a usage error says what is wrong and where help is; it never runs anything.
// Covered by tests/cli/usage_test.cpp.
#include "cli/options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <span>

#include "cli/help.hpp"

namespace postern {
namespace {

struct CommandInfo {
  Command command;
  const char* name;
  const char* what;
  const char* usage;  // what stands behind the name
  const char* more;   // examples and what the words mean
};

constexpr CommandInfo kCommands[] = {
    {Command::kLint, "lint", "Find holes and mistakes in rulesets; no configuration needed",
     "[OPTIONS] FILE...",
     "FILE is what iptables-save or ip6tables-save prints; '-' reads standard input.\n"
     "Example: iptables-save | postern lint -\n"},
    {Command::kQuery, "query", "Answer one question: deliver, connect or track",
     "[OPTIONS] FILE... -- VERB MATCH...",
     "VERB  deliver  can an outsider, unasked, get such a packet accepted to its destination?\n"
     "               (on the way out the outsider is a process of this host; what only\n"
     "               answers, as REJECT does, is not asked about)\n"
     "      connect  can a conversation that begins with such a packet be held?\n"
     "      track    can such a flow leave a conntrack entry? (--entry-state STATE)\n"
     "MATCH is written in iptables' own words: -i eth0 -p tcp -s 198.51.100.0/24 ! --dport 22\n"
     "Examples:\n"
     "  postern query rules.v4 -- connect -i lo -p tcp --sport 1234 --dport 80\n"
     "  postern query --expect no rules.v4 -- deliver -i eth0 -p tcp --dport 3306\n"
     "  postern query --find sport --every dport rules.v4 -- connect -i lo -p tcp\n"},
    {Command::kReplay, "replay", "Run the packets of a scenario through the engine",
     "[OPTIONS] SCENARIO...",
     "SCENARIO is JSON, for instance what `query --scenario FILE` writes; '-' reads standard "
     "input.\nThe result is JSON; --format text tells it packet by packet.\n"},
    {Command::kTrace, "trace", "Follow a packet, rule by rule, with the reasons why not",
     "[OPTIONS] FILE... -- PACKET...",
     "Example: postern trace rules.v4 -- -i eth0 -p tcp --dport 80\n"},
    {Command::kExplain, "explain", "Show the page of a check, or list all checks",
     "[OPTIONS] [ID...]", "Examples: postern explain; postern explain PST202\n"},
};

// Part of the contract, not built yet: commands, and options with a file.
constexpr const char* kLater[] = {"check", "diff", "matrix"};
constexpr const char* kLaterOptions[] = {"--ip-addr", "--ip-route", "--ipset", "--sysctl"};

const std::map<std::string, Format> kFormats{{"text", Format::kText}, {"json", Format::kJson}};
const std::map<std::string, ColorMode> kColors{
    {"auto", ColorMode::kAuto}, {"always", ColorMode::kAlways}, {"never", ColorMode::kNever}};
const std::map<std::string, Family> kFamilies{{"4", Family::kIpv4}, {"6", Family::kIpv6}};
const std::map<std::string, Backend> kBackends{{"legacy", Backend::kLegacy},
                                               {"nft", Backend::kNft}};
const std::map<std::string, TrackingMode> kTracking{
    {"auto", TrackingMode::kAuto}, {"on", TrackingMode::kOn}, {"off", TrackingMode::kOff}};
const std::map<std::string, bool> kExpect{{"yes", true}, {"no", false}};
const std::map<std::string, Path> kPaths{{"in", Path::kIn},
                                         {"out", Path::kOut},
                                         {"forward", Path::kForward},
                                         {"loopback", Path::kLoopback}};

// An option whose value is one of the words in `choices`.
template <class T, class Target>
CLI::Option* add_choice(CLI::App& app, const char* name, const std::map<std::string, T>& choices,
                        Target& target, const char* what) {
  std::string type;
  for (const auto& [word, value] : choices) type += (type.empty() ? "" : "|") + word;
  return app
      .add_option_function<std::string>(
          name, [&choices, &target](const std::string& word) { target = choices.at(word); }, what)
      ->check(CLI::Validator(
          [&choices, type](std::string& word) {
            if (choices.contains(word)) return std::string();
            if (word == "sarif") return fmt::format("'sarif' is not yet available: {}", type);
            return fmt::format("'{}' is not one of {}", word, type);
          },
          ""))
      ->type_name(type);
}

void add_common(CLI::App& app, Options& options) {
  add_choice(app, "--format", kFormats, options.format, "How to print the result");
  app.add_option("--output", options.output, "Write the result to this file (whole or not at all)")
      ->type_name("FILE");
  add_choice(app, "--color", kColors, options.color, "Colour in text; NO_COLOR is honoured");
  app.add_flag("--quiet", options.quiet, "Print findings and answers only");
}

void add_model(CLI::App& app, Options& options) {
  add_choice(app, "--family", kFamilies, options.family, "Address family; default: by content");
  add_choice(
      app, "--backend", kBackends, options.backend,
      "Whether iptables-legacy or iptables-nft runs it; default: by the file's first comment");
  app.add_option_function<double>(
         "--timeout",
         [&options](double seconds) {
           options.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
         },
         "Give up on a question after this time")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.001, 1e6).description(""));
  app.add_option("--jobs", options.jobs, "Files to work on at the same time")
      ->type_name("N")
      ->check(CLI::Range(1u, 256u).description(""));
  add_choice(app, "--conntrack", kTracking, options.tracking,
             "Connection tracking; auto: on when the ruleset switches it on");
}

void add_on_kernel(CLI::App& app, Options& options, const char* what) {
  app.add_flag("--on-kernel", options.on_kernel, what);
}

void add_witness(CLI::App& app, Options& options) {
  app.add_option("--pcap", options.pcap, "Write the witness packets as a capture")
      ->type_name("FILE");
  app.add_option("--scenario", options.scenario, "Write the witness for `postern replay`")
      ->type_name("FILE");
  add_on_kernel(app, options,
                "Run the witness on this machine's kernel, too; a difference is exit code 3");
}

void add_question(CLI::App& app, Options& options) {
  add_choice(app, "--expect", kExpect, options.expect,
             "Exit 0 only for this answer, 1 for the opposite, 3 for unknown");
  app.add_flag("--allow-conditional", options.allow_conditional,
               "--expect yes takes a conditional yes, too");
  app.add_option("--find", options.find, "Is there a value of this field (several: a,b) ...")
      ->type_name("FIELD")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--every", options.every, "... such that it holds for every value of this one")
      ->type_name("FIELD")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add_choice(app, "--path", kPaths, options.path, "The packet's way; default: by -i and -o");
}

CLI::App* add_command(CLI::App& app, const CommandInfo& info, Options& options) {
  CLI::App* command = app.add_subcommand(info.name, info.what);
  command->add_option("files", options.files);
  command->footer(fmt::format("{}\n{}", info.more, exit_code_table()));
  add_common(*command, options);
  if (info.command == Command::kReplay) {
    add_on_kernel(*command, options,
                  "Print what this machine's kernel does; a difference is exit code 3");
  }
  if (info.command == Command::kExplain || info.command == Command::kReplay) return command;
  add_model(*command, options);
  if (info.command == Command::kLint) {
    command->add_flag("--verbose", options.verbose, "Print how many questions were answered, too");
  }
  if (info.command == Command::kQuery) add_question(*command, options);
  if (info.command != Command::kTrace) add_witness(*command, options);
  return command;
}

EarlyExit usage_error(const std::string& message, const std::string& command) {
  return {fmt::format("postern: error: {}\nTry: postern {}--help\n", message,
                      command.empty() ? "" : command + " "),
          true};
}

bool takes_words(Command command) {
  return command == Command::kQuery || command == Command::kTrace;
}

std::map<std::string, std::string> usage_lines() {
  std::map<std::string, std::string> usage{
      {"", "COMMAND [OPTIONS] ...   (postern COMMAND --help)"}};
  for (const CommandInfo& info : kCommands) {
    usage[info.name] = fmt::format("{} {}", info.name, info.usage);
  }
  return usage;
}

// A word of the contract that is not built yet; empty when the line has none.
std::string not_yet(const std::vector<std::string>& line) {
  if (!line.empty() && std::ranges::find(kLater, line[0]) != std::end(kLater)) return line[0];
  for (const std::string& word : line) {
    const std::string option = word.substr(0, word.find('='));
    if (std::ranges::find(kLaterOptions, option) != std::end(kLaterOptions)) return option;
  }
  return {};
}

// The command that the line names; empty when none.
std::string command_name(const std::vector<std::string>& line) {
  for (const CommandInfo& info : kCommands) {
    if (!line.empty() && line[0] == info.name) return info.name;
  }
  return {};
}

// Do the words differ by one letter (another one, one too many, two exchanged)?
bool nearly(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > 1) return false;
  const auto [left, right] = std::mismatch(a.begin(), a.end(), b.begin());
  const std::string_view rest_a(left, a.end()), rest_b(right, b.end());
  if (rest_b.size() > rest_a.size()) return rest_b.substr(1) == rest_a;
  if (rest_a.size() < 2) return true;
  const bool exchanged = rest_a[0] == rest_b[1] && rest_a[1] == rest_b[0];
  return rest_a.substr(1) == rest_b.substr(1) ||
         (exchanged && rest_a.substr(2) == rest_b.substr(2));
}

// What is wrong with a first word that names no command; empty when it is none or an option.
std::string unknown_command(const std::vector<std::string>& line) {
  if (line.empty() || line[0].starts_with("-") || !command_name(line).empty()) return {};
  std::string out = fmt::format("there is no command '{}'", line[0]);
  for (const CommandInfo& info : kCommands) {
    if (nearly(line[0], info.name)) out += fmt::format("; did you mean '{}'?", info.name);
  }
  return out;
}

// What the parsed line still gets wrong; empty when nothing.
std::string inconsistency(const Options& options) {
  if (takes_words(options.command) && options.words.empty()) {
    return options.command == Command::kQuery
               ? "the question is missing: postern query FILE -- connect -i lo -p tcp --dport 80"
               : "the packet is missing: postern trace FILE -- -i eth0 -p tcp --dport 80";
  }
  if (options.command != Command::kExplain && options.files.empty()) {
    return "no file is given ('-' reads standard input)";
  }
  if (std::count(options.files.begin(), options.files.end(), "-") > 1) {
    return "standard input ('-') can be read once only";
  }
  return {};
}

}  // namespace

tl::expected<Options, EarlyExit> parse_command_line(const std::vector<std::string>& arguments) {
  Options options;
  const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
  std::vector<std::string> line(arguments.begin(), dashes);
  const std::vector<std::string> words(dashes == arguments.end() ? dashes : dashes + 1,
                                       arguments.end());

  CLI::App app("postern: what a Linux iptables ruleset really lets through", "postern");
  app.set_version_flag("--version", "postern " POSTERN_VERSION);
  app.require_subcommand(1);
  app.footer(exit_code_table());
  app.formatter(std::make_shared<HelpFormatter>(usage_lines()));
  std::vector<std::pair<CLI::App*, const CommandInfo*>> commands;
  for (const CommandInfo& info : kCommands) {
    commands.emplace_back(add_command(app, info, options), &info);
  }
  const std::string name = command_name(line);
  if (const std::string word = not_yet(line); !word.empty()) {
    return tl::unexpected(usage_error(fmt::format("'{}' is not yet available", word), name));
  }
  if (const std::string problem = unknown_command(line); !problem.empty()) {
    return tl::unexpected(usage_error(problem, ""));
  }
  try {
    std::reverse(line.begin(), line.end());  // CLI11 takes its arguments from the back
    app.parse(line);
  } catch (const CLI::Success& success) {
    std::ostringstream out, err;
    app.exit(success, out, err);
    return tl::unexpected(EarlyExit{out.str(), false});
  } catch (const CLI::ParseError& error) {
    std::string message = error.what();
    if (dashes == arguments.end() && (name == "query" || name == "trace")) {
      message += fmt::format("\nWhat is asked stands behind '--': postern {} FILE -- {}", name,
                             name == "query" ? "VERB MATCH..." : "PACKET...");
    }
    return tl::unexpected(usage_error(message, name));
  }
  for (const auto& [command, info] : commands) {
    if (!command->parsed()) continue;
    options.command = info->command;
    // What replay prints is made for programs first.
    if (info->command == Command::kReplay && command->count("--format") == 0) {
      options.format = Format::kJson;
    }
  }
  // The words of a question are its own; elsewhere what follows "--" are files.
  std::vector<std::string>& behind = takes_words(options.command) ? options.words : options.files;
  behind.insert(behind.end(), words.begin(), words.end());
  if (const std::string problem = inconsistency(options); !problem.empty()) {
    return tl::unexpected(usage_error(problem, name));
  }
  return options;
}

}  // namespace postern
