// Runs the built program without a shell and collects what it says.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace postern::test {

struct Outcome {
  int code = -1;  // exit code; 128 + signal when it was killed
  std::string out, err;
};

struct RunOptions {
  std::string input = {};                     // standard input
  std::filesystem::path directory = {};       // working directory; empty: the test's own
  std::vector<std::string> environment = {};  // additional "NAME=value"
  // Runs where no namespace can be made: as a user whom its user namespace does not know.
  bool without_rights = false;
  bool terminal = false;  // standard error is a terminal (what it shows has \r\n for \n)
};

Outcome run_postern(const std::vector<std::string>& arguments, const RunOptions& options = {});

// A directory of its own for one test, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }
  // Writes a file and returns its path.
  std::string file(const std::string& name, const std::string& text) const;

 private:
  std::filesystem::path path_;
};

std::string read_file(const std::filesystem::path& path);

// A ruleset of corpus/, by its name below that directory.
std::string corpus(const std::string& name);

}  // namespace postern::test
