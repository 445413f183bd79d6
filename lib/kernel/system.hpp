// Thin RAII over what the kernel gives: descriptors, network namespaces, child processes,
// /proc/sys. Everything here reports failure as a sentence; nothing is left in the host's
// namespace. Covered by tests/kernel/harness_test.cpp.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace postern::kernel {

template <class T>
using Outcome = tl::expected<T, std::string>;  // or why not, one sentence

// "what: strerror(errno)", as an error.
tl::unexpected<std::string> system_error(std::string_view what);

// Owns a descriptor; closes it.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor();
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// A fresh network namespace; it dies with the last descriptor that refers to it.
class NetNamespace {
 public:
  static Outcome<NetNamespace> create();

  // While it lives, the calling thread (and the children that it starts) is inside the namespace.
  class Entered {
   public:
    explicit Entered(FileDescriptor home) : home_(std::move(home)) {}
    Entered(Entered&&) noexcept = default;
    ~Entered();

   private:
    FileDescriptor home_;
  };
  Outcome<Entered> enter() const;

 private:
  explicit NetNamespace(FileDescriptor fd) : fd_(std::move(fd)) {}
  FileDescriptor fd_;
};

struct ProcessResult {
  int status = 0;  // exit status; 128 + signal when killed
  std::string output, error;
};
// Runs a program (found in PATH and the sbin directories) with this text as its standard input, and
// waits for it.
Outcome<ProcessResult> run_program(const std::vector<std::string>& arguments,
                                   std::string_view input = {});
// The same, when anything but exit status 0 is an error (with what the program said).
Outcome<std::string> run_checked(const std::vector<std::string>& arguments,
                                 std::string_view input = {});

// Writes below /proc/sys of the namespace that the thread is in; `name` with '/'.
Outcome<void> write_sysctl(const std::string& name, const std::string& value);

}  // namespace postern::kernel
