// TUN devices and raw sockets. Covered by tests/kernel/harness_test.cpp.
#include "kernel/wire.hpp"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace postern::kernel {
namespace {

sockaddr_in6 socket_address6(const Address& address) {
  Bytes bytes;
  put_address(bytes, address);
  sockaddr_in6 made{};
  made.sin6_family = AF_INET6;
  std::memcpy(&made.sin6_addr, bytes.data(), bytes.size());
  return made;
}

// To a group or a link-local address Linux sends only by a device that has an IPv6 address of its
// own, unless the socket is bound to one (any will do, EADDRNOTAVAIL otherwise): so it is bound.
bool needs_source(const Packet& packet) {
  const u128 to = packet.destination.value;
  return packet.family() == Family::kIpv6 && ((to >> 120) == 0xff || (to >> 118) == 0x3fa);
}

void bind_to(int socket, const Address& source) {
  const sockaddr_in6 from = socket_address6(source);
  bind(socket, reinterpret_cast<const sockaddr*>(&from), sizeof from);
}

}  // namespace

Outcome<Tun> Tun::create(const std::string& name) {
  FileDescriptor fd(open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid()) return system_error("/dev/net/tun");
  ifreq request{};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  if (ioctl(fd.get(), TUNSETIFF, &request) != 0) {
    return system_error("cannot make the TUN device " + name);
  }
  return Tun(name, std::move(fd));
}

bool Tun::inject(ByteView bytes) { return write(fd_.get(), bytes.data(), bytes.size()) >= 0; }

void Tun::read(std::vector<Capture>& to, int wait_ms) {
  if (wait_ms > 0) {
    pollfd waiting{fd_.get(), POLLIN, 0};
    poll(&waiting, 1, wait_ms);
  }
  std::array<std::uint8_t, 65600> buffer;
  while (true) {
    const ssize_t got = ::read(fd_.get(), buffer.data(), buffer.size());
    if (got <= 0) return;
    to.push_back({name_, Bytes(buffer.begin(), buffer.begin() + got)});
  }
}

// The owner match asks for the credentials with which the socket was opened.
Outcome<int> LocalSender::socket_for(const Kind& kind) {
  if (auto found = sockets_.find(kind); found != sockets_.end()) return found->second.get();
  const bool v4 = kind.family == Family::kIpv4;
  setfsgid(kind.gid);
  setfsuid(kind.uid);
  FileDescriptor fd(
      socket(v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW));
  const int saved = errno;
  setfsuid(geteuid());
  setfsgid(getegid());
  errno = saved;
  if (!fd.valid()) return system_error("cannot open a raw socket");
  if (!kind.device.empty() && setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, kind.device.c_str(),
                                         static_cast<socklen_t>(kind.device.size() + 1)) != 0) {
    return system_error("cannot send by " + kind.device);
  }
  const int one = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_BROADCAST, &one, sizeof one);
  if (!v4) setsockopt(fd.get(), IPPROTO_IPV6, IPV6_FREEBIND, &one, sizeof one);
  return sockets_.emplace(kind, std::move(fd)).first->second.get();
}

Outcome<void> LocalSender::send(const Packet& packet) {
  const auto fd = socket_for({packet.family(), packet.out_interface, packet.uid.value_or(geteuid()),
                              packet.gid.value_or(getegid())});
  if (!fd) return tl::unexpected(fd.error());
  const std::uint32_t mark = packet.mark;
  if (setsockopt(*fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) != 0) return system_error("SO_MARK");
  const bool is_v4 = packet.family() == Family::kIpv4;
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(static_cast<std::uint32_t>(packet.destination.value));
  const sockaddr_in6 v6 = is_v4 ? sockaddr_in6{} : socket_address6(packet.destination);
  const auto* to =
      is_v4 ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6);
  const auto size = static_cast<socklen_t>(is_v4 ? sizeof v4 : sizeof v6);
  if (needs_source(packet)) bind_to(*fd, packet.source);
  for (const Bytes& bytes : to_wire(packet)) {
    sendto(*fd, bytes.data(), bytes.size(), 0, to, size);
  }
  if (needs_source(packet)) bind_to(*fd, {Family::kIpv6, 0});
  return {};
}

}  // namespace postern::kernel
