// Namespaces, children and sysctls by plain system calls. Covered by tests/kernel/harness_test.cpp.
#include "kernel/system.hpp"

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "base/check.hpp"

namespace postern::kernel {
namespace {

constexpr const char* kOwnNamespace = "/proc/thread-self/ns/net";

Outcome<FileDescriptor> memory_file(std::string_view content) {
  FileDescriptor file(memfd_create("postern", MFD_CLOEXEC));
  if (!file.valid()) return system_error("memfd_create");
  while (!content.empty()) {
    const ssize_t written = write(file.get(), content.data(), content.size());
    if (written <= 0) return system_error("writing a child's input");
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  lseek(file.get(), 0, SEEK_SET);
  return file;
}

std::string content_of(const FileDescriptor& file) {
  const off_t size = lseek(file.get(), 0, SEEK_END);
  std::string text(static_cast<std::size_t>(std::max<off_t>(size, 0)), '\0');
  const ssize_t got = pread(file.get(), text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return text;
}

// The caller's environment, with a PATH that has the sbin directories and a lock file that belongs
// to no one: the namespace is ours alone, so iptables need not wait for others.
std::vector<std::string> child_environment() {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (!text.starts_with("PATH=") && !text.starts_with("XTABLES_LOCKFILE=")) {
      environment.emplace_back(text);
    }
  }
  environment.emplace_back("PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin");
  environment.emplace_back("XTABLES_LOCKFILE=/dev/null");
  return environment;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

tl::unexpected<std::string> system_error(std::string_view what) {
  return tl::unexpected(std::string(what) + ": " + std::strerror(errno));
}

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) close(fd_);
}

Outcome<NetNamespace> NetNamespace::create() {
  int fd = -1, error = 0;
  std::thread([&] {
    if (unshare(CLONE_NEWNET) == 0) fd = open(kOwnNamespace, O_RDONLY | O_CLOEXEC);
    error = errno;
  }).join();
  errno = error;
  if (fd < 0) return system_error("cannot make a network namespace");
  return NetNamespace(FileDescriptor(fd));
}

Outcome<NetNamespace::Entered> NetNamespace::enter() const {
  FileDescriptor home(open(kOwnNamespace, O_RDONLY | O_CLOEXEC));
  if (!home.valid()) return system_error(kOwnNamespace);
  if (setns(fd_.get(), CLONE_NEWNET) != 0) return system_error("setns");
  return Entered(std::move(home));
}

NetNamespace::Entered::~Entered() {
  if (!home_.valid()) return;
  // Going on in the wrong namespace could touch the host: better not to go on at all.
  if (setns(home_.get(), CLONE_NEWNET) != 0) std::terminate();
}

Outcome<ProcessResult> run_program(const std::vector<std::string>& arguments,
                                   std::string_view input) {
  auto in = memory_file(input), out = memory_file({}), error = memory_file({});
  if (!in || !out || !error) return system_error("memfd_create");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in->get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out->get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, error->get(), STDERR_FILENO);
  std::vector<std::string> words = arguments, environment = child_environment();
  pid_t pid = 0;
  const int failed = posix_spawnp(&pid, words.front().c_str(), &actions, nullptr,
                                  pointers(words).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    errno = failed;
    return system_error("cannot run " + words.front());
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return ProcessResult{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
                       content_of(*out), content_of(*error)};
}

Outcome<std::string> run_checked(const std::vector<std::string>& arguments,
                                 std::string_view input) {
  auto result = run_program(arguments, input);
  if (!result) return tl::unexpected(result.error());
  if (result->status != 0) {
    return tl::unexpected(arguments.front() + ": " +
                          (result->error.empty() ? result->output : result->error));
  }
  return std::move(result->output);
}

Outcome<void> write_sysctl(const std::string& name, const std::string& value) {
  const std::string path = "/proc/sys/" + name;
  const FileDescriptor file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.valid()) return system_error(path);
  const std::string line = value + "\n";
  if (write(file.get(), line.data(), line.size()) < 0) return system_error(path + " = " + value);
  return {};
}

}  // namespace postern::kernel
