// How packets get into the namespace and out of it: TUN devices for those from and to a wire, raw
// sockets for those that the host itself sends. Covered by tests/kernel/harness_test.cpp.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernel/system.hpp"
#include "scenario/packet.hpp"
#include "scenario/serialise.hpp"

namespace postern::kernel {

// A packet that left by a TUN device.
struct Capture {
  std::string device;
  Bytes bytes;
};

class Tun {
 public:
  // REQUIRES: the thread is in the namespace, where the device then appears (down).
  static Outcome<Tun> create(const std::string& name);

  const std::string& name() const { return name_; }
  // The packet arrives on this interface. The stack has dealt with it when this returns. False: the
  // stack refused to take it at all.
  bool inject(ByteView bytes);
  // Every packet that left by it since the last call; waits up to `wait_ms` for the first.
  void read(std::vector<Capture>& to, int wait_ms = 0);

 private:
  Tun(std::string name, FileDescriptor fd) : name_(std::move(name)), fd_(std::move(fd)) {}
  std::string name_;
  FileDescriptor fd_;
};

// Sends packets of the host's own, whole with their IP headers.
class LocalSender {
 public:
  // REQUIRES (first call for each kind of packet): the thread is in the namespace. Routing or a
  // verdict may refuse the packet: that is no error but its fate.
  Outcome<void> send(const Packet& packet);

 private:
  struct Kind {
    Family family;
    std::string device;
    std::uint32_t uid, gid;
    auto operator<=>(const Kind&) const = default;
  };
  Outcome<int> socket_for(const Kind& kind);
  std::map<Kind, FileDescriptor> sockets_;
};

}  // namespace postern::kernel
