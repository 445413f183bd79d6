#include "cli/support/run.hpp"

#include <fcntl.h>
#include <pty.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace postern::test {
namespace {

struct Pipe {
  int read = -1, write = -1;
  // `terminal`: the writing end is one, the reading end shows what is on it.
  explicit Pipe(bool terminal = false) {
    std::array<int, 2> ends{};
    const int failed = terminal ? ::openpty(&ends[0], &ends[1], nullptr, nullptr, nullptr)
                                : ::pipe2(ends.data(), O_CLOEXEC);
    if (failed != 0) throw std::runtime_error("pipe");
    for (const int end : ends) ::fcntl(end, F_SETFD, FD_CLOEXEC);
    read = ends[0];
    write = ends[1];
  }
};

std::string drain(int descriptor) {
  std::string text;
  char buffer[4096];
  for (ssize_t count = 0; (count = ::read(descriptor, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(count));
  }
  ::close(descriptor);
  return text;
}

[[noreturn]] void become(const std::vector<std::string>& arguments, const RunOptions& options,
                         const Pipe& in, const Pipe& out, const Pipe& err) {
  ::dup2(in.read, STDIN_FILENO);
  ::dup2(out.write, STDOUT_FILENO);
  ::dup2(err.write, STDERR_FILENO);
  if (!options.directory.empty() && ::chdir(options.directory.c_str()) != 0) ::_exit(126);
  for (const std::string& variable : options.environment) {
    const std::size_t equals = variable.find('=');
    ::setenv(variable.substr(0, equals).c_str(), variable.substr(equals + 1).c_str(), 1);
  }
  if (options.without_rights && ::unshare(CLONE_NEWUSER) != 0) ::_exit(125);
  std::vector<char*> argv{const_cast<char*>(POSTERN_BINARY)};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execv(POSTERN_BINARY, argv.data());
  ::_exit(127);
}

}  // namespace

Outcome run_postern(const std::vector<std::string>& arguments, const RunOptions& options) {
  Pipe in, out, err(options.terminal);
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork");
  if (child == 0) become(arguments, options, in, out, err);
  ::close(in.read);
  ::close(out.write);
  ::close(err.write);
  Outcome outcome;
  std::thread writer([&] {
    std::size_t done = 0;
    while (done < options.input.size()) {
      const ssize_t count =
          ::write(in.write, options.input.data() + done, options.input.size() - done);
      if (count <= 0) break;
      done += static_cast<std::size_t>(count);
    }
    ::close(in.write);
  });
  std::thread errors([&] { outcome.err = drain(err.read); });
  outcome.out = drain(out.read);
  errors.join();
  writer.join();
  int status = 0;
  ::waitpid(child, &status, 0);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "postern-test.XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryDirectory::file(const std::string& name, const std::string& text) const {
  const std::filesystem::path path = path_ / name;
  std::ofstream(path, std::ios::binary) << text;
  return path.string();
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::string corpus(const std::string& name) {
  return (std::filesystem::path(POSTERN_SOURCE_DIR) / "corpus" / name).string();
}

}  // namespace postern::test
