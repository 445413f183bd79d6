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

#include "cli/exit_code.hpp"

namespace postern {
namespace {

struct CommandInfo {
  Command command;
  const char* name;
  const char* what;
  const char* files;   // the positional's name; empty: none
  const char* behind;  // what stands behind "--"; empty: further files
};

constexpr CommandInfo kCommands[] = {
    {Command::kLint, "lint", "Find holes and mistakes in rulesets; no configuration needed", "FILE",
     ""},
    {Command::kQuery, "query", "Answer one question: deliver, connect or track", "FILE",
     "VERB MATCH..."},
    {Command::kReplay, "replay", "Run the packets of a scenario through the engine", "SCENARIO",
     ""},
    {Command::kTrace, "trace", "Follow a packet, rule by rule, with the reasons why not", "FILE",
     "PACKET..."},
    {Command::kExplain, "explain", "Show the page of a check, or list all checks", "ID", ""},
};

// Part of the contract, not built yet.
constexpr const char* kLater[] = {"check", "diff", "matrix"};

const std::map<std::string, Format> kFormats{{"text", Format::kText}, {"json", Format::kJson}};
const std::map<std::string, ColorMode> kColors{
    {"auto", ColorMode::kAuto}, {"always", ColorMode::kAlways}, {"never", ColorMode::kNever}};
const std::map<std::string, Family> kFamilies{{"4", Family::kIpv4}, {"6", Family::kIpv6}};
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
            return choices.contains(word) ? std::string()
                                          : fmt::format("'{}' is not one of {}", word, type);
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
  app.add_option_function<double>(
         "--timeout",
         [&options](double seconds) {
           options.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
         },
         "Give up on a question after this time")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.001, 1e6));
  app.add_option("--jobs", options.jobs, "Files to work on at the same time")
      ->type_name("N")
      ->check(CLI::Range(1u, 256u));
  add_choice(app, "--conntrack", kTracking, options.tracking,
             "Connection tracking; auto: on when the ruleset switches it on");
}

void add_witness(CLI::App& app, Options& options) {
  app.add_option("--pcap", options.pcap, "Write the witness packets as a capture")
      ->type_name("FILE");
  app.add_option("--scenario", options.scenario, "Write the witness for `postern replay`")
      ->type_name("FILE");
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
  CLI::Option* files = command->add_option("files", options.files)->type_name(info.files);
  files->option_text(fmt::format("{}...", info.files));
  if (*info.behind != 0) command->footer(fmt::format("Behind the files: -- {}", info.behind));
  add_common(*command, options);
  if (info.command == Command::kExplain || info.command == Command::kReplay) return command;
  add_model(*command, options);
  if (info.command == Command::kLint) {
    command->add_flag("--verbose", options.verbose, "Print how many questions were answered, too");
  }
  if (info.command == Command::kQuery) add_question(*command, options);
  if (info.command != Command::kTrace) add_witness(*command, options);
  return command;
}

std::string exit_code_table() {
  std::string table = "Exit codes:\n";
  for (int code = 0; code <= 4; ++code) {
    for (const ExitCodeInfo& info : kExitCodes) {
      if (static_cast<int>(info.code) == code)
        table += fmt::format("  {}  {}\n", code, info.meaning);
    }
  }
  return table;
}

EarlyExit usage_error(const std::string& message, const std::string& command) {
  return {fmt::format("postern: error: {}\nTry: postern {}--help\n", message,
                      command.empty() ? "" : command + " "),
          true};
}

bool takes_words(Command command) {
  return command == Command::kQuery || command == Command::kTrace;
}

// The command that the line names; empty when none.
std::string command_name(const std::vector<std::string>& line) {
  for (const CommandInfo& info : kCommands) {
    if (!line.empty() && line[0] == info.name) return info.name;
  }
  return {};
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
  std::vector<std::pair<CLI::App*, const CommandInfo*>> commands;
  for (const CommandInfo& info : kCommands) {
    commands.emplace_back(add_command(app, info, options), &info);
  }
  if (!line.empty() &&
      std::find(std::begin(kLater), std::end(kLater), line[0]) != std::end(kLater)) {
    return tl::unexpected(usage_error(fmt::format("'{}' is not yet available", line[0]), ""));
  }

  const std::string name = command_name(line);
  try {
    std::reverse(line.begin(), line.end());  // CLI11 takes its arguments from the back
    app.parse(line);
  } catch (const CLI::Success& success) {
    std::ostringstream out, err;
    app.exit(success, out, err);
    return tl::unexpected(EarlyExit{out.str(), false});
  } catch (const CLI::ParseError& error) {
    return tl::unexpected(usage_error(error.what(), name));
  }
  for (const auto& [command, info] : commands) {
    if (command->parsed()) options.command = info->command;
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
