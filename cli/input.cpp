// Covered by tests/cli/usage_test.cpp.
#include "cli/input.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace postern {
namespace {

// 0 or errno.
int read_all(int descriptor, std::string& text) {
  char buffer[1 << 16];
  for (;;) {
    const ssize_t count = ::read(descriptor, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    if (count == 0) return 0;
    text.append(buffer, static_cast<std::size_t>(count));
  }
}

}  // namespace

tl::expected<std::shared_ptr<const SourceFile>, std::string> read_input(const std::string& path) {
  const bool standard = path == "-";
  const std::string name = standard ? "<stdin>" : path;
  const int descriptor = standard ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return tl::unexpected(fmt::format("{}: {}", name, std::strerror(errno)));
  std::string text;
  const int error = read_all(descriptor, text);
  if (!standard) ::close(descriptor);
  if (error != 0) return tl::unexpected(fmt::format("{}: {}", name, std::strerror(error)));
  // Spans are 32 bits wide.
  if (text.size() > 0xffff'0000u) return tl::unexpected(fmt::format("{}: larger than 4 GB", name));
  return std::make_shared<const SourceFile>(name, std::move(text));
}

}  // namespace postern
