// What the command line said, as plain data. Parsing is in options.cpp (the only user of CLI11);
// commands read this and nothing else.
// Covered by tests/cli/usage_test.cpp.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "net/family.hpp"
#include "scenario/scenario.hpp"

namespace postern {

enum class Command : std::uint8_t { kLint, kQuery, kReplay, kTrace, kExplain };
enum class Format : std::uint8_t { kText, kJson };
enum class ColorMode : std::uint8_t { kAuto, kAlways, kNever };

struct Options {
  Command command = Command::kLint;
  std::vector<std::string> files;  // "-" is standard input; for explain: check identifiers
  std::vector<std::string> words;  // behind "--", for query and trace

  Format format = Format::kText;
  std::string output;                                // empty: standard output
  std::optional<Family> family;                      // nullopt: by content
  std::optional<Backend> backend;                    // nullopt: by the file's header
  std::optional<std::chrono::milliseconds> timeout;  // for one question; nullopt: the default
  ColorMode color = ColorMode::kAuto;
  bool quiet = false;
  bool verbose = false;
  unsigned jobs = 1;
  TrackingMode tracking = TrackingMode::kAuto;

  std::string pcap, scenario;  // where the witness goes; empty: nowhere
  bool on_kernel = false;
  std::optional<bool> expect;  // --expect yes|no
  bool allow_conditional = false;
  std::vector<std::string> find, every;  // field names
  std::optional<Path> path;
};

// What to do when the line holds no command to run: print `text` and exit. `error` tells where to.
struct EarlyExit {
  std::string text;
  bool error = false;
};

// `arguments` without the program's name.
tl::expected<Options, EarlyExit> parse_command_line(const std::vector<std::string>& arguments);

}  // namespace postern
