// A fork that becomes root of its own user namespace, works, and answers through a memory file.
#include "kernel/user_namespace.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace postern::kernel {
namespace {

Outcome<void> write_file(const char* path, const std::string& text) {
  const FileDescriptor file(open(path, O_WRONLY | O_CLOEXEC));
  if (!file.valid() || write(file.get(), text.data(), text.size()) < 0) return system_error(path);
  return {};
}

// Makes this process root of its own user namespace.
Outcome<void> become_root() {
  const uid_t uid = geteuid();
  const gid_t gid = getegid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
    return system_error("cannot make a user namespace");
  }
  if (auto done = write_file("/proc/self/setgroups", "deny"); !done) return done;
  if (auto done = write_file("/proc/self/uid_map", fmt::format("0 {} 1", uid)); !done) return done;
  return write_file("/proc/self/gid_map", fmt::format("0 {} 1", gid));
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 1 << 16> buffer;
  for (ssize_t at = 0, got = 0; (got = pread(fd, buffer.data(), buffer.size(), at)) > 0;
       at += got) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

// The child's part: '+' and the text, or '-' and why not. Never returns.
[[noreturn]] void run_child(int fd, const std::function<Outcome<std::string>()>& work) {
  std::string answer = "-the child died";
  try {
    const auto rooted = become_root();
    const auto result = rooted ? work() : tl::unexpected(rooted.error());
    answer = result ? "+" + *result : "-" + result.error();
  } catch (const std::exception& error) {
    answer = std::string("-") + error.what();
  }
  std::string_view rest = answer;
  while (!rest.empty()) {
    const ssize_t written = write(fd, rest.data(), rest.size());
    if (written <= 0) _exit(1);
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  _exit(0);
}

}  // namespace

Outcome<std::string> in_user_namespace(const std::function<Outcome<std::string>()>& work) {
  const FileDescriptor file(memfd_create("postern", MFD_CLOEXEC));
  if (!file.valid()) return system_error("memfd_create");
  const pid_t pid = fork();
  if (pid < 0) return system_error("fork");
  if (pid == 0) run_child(file.get(), work);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  const std::string answer = read_all(file.get());
  if (answer.empty()) return tl::unexpected(std::string("the child in its namespace died"));
  if (answer.front() == '-') return tl::unexpected(answer.substr(1));
  return answer.substr(1);
}

}  // namespace postern::kernel
