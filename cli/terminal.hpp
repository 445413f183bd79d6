// What depends on whether somebody is looking: colour and progress. In a pipe both are off.
// Covered by tests/cli/usage_test.cpp.
#pragma once

#include <mutex>
#include <string_view>

#include "cli/options.hpp"

namespace postern {

enum class Stream : std::uint8_t { kOutput, kError };

// --color, then NO_COLOR (no-color.org), then whether the stream is a terminal. A file never gets
// colour unless --color always.
bool use_color(const Options& options, Stream stream);

// One line on standard error that overwrites itself; silent when that is no terminal.
class Progress {
 public:
  explicit Progress(bool quiet);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::string_view what);  // may be called by several threads
  void clear();

 private:
  std::mutex mutex_;
  bool on_ = false;
  bool shown_ = false;
};

}  // namespace postern
