// Covered by tests/cli/usage_test.cpp.
#include "cli/terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace postern {

bool use_color(const Options& options, Stream stream) {
  if (options.color != ColorMode::kAuto) return options.color == ColorMode::kAlways;
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') return false;
  if (stream == Stream::kOutput && !options.output.empty()) return false;
  return ::isatty(stream == Stream::kOutput ? STDOUT_FILENO : STDERR_FILENO) == 1;
}

Progress::Progress(bool quiet) : on_(!quiet && ::isatty(STDERR_FILENO) == 1) {}

void Progress::show(std::string_view what) {
  if (!on_) return;
  const std::lock_guard lock(mutex_);
  // Cut to one line of a narrow terminal, then clear what is left of the last message.
  fmt::print(stderr, "\r{}\x1b[K", what.substr(0, 78));
  std::fflush(stderr);
  shown_ = true;
}

void Progress::clear() {
  const std::lock_guard lock(mutex_);
  if (!shown_) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
  shown_ = false;
}

}  // namespace postern
