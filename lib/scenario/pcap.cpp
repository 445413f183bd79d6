// pcap writing (the classic format, microseconds, link type 101 RAW: packets begin with their IP
// header). Times are made up and deterministic. Covered by tests/unit/scenario_bytes_test.cpp.
#include <cerrno>
#include <cstring>
#include <fstream>

#include "scenario/serialise.hpp"

namespace postern {
namespace {

constexpr std::uint32_t kMagic = 0xa1b2c3d4, kSnapLength = 262144, kLinkTypeRaw = 101;

}  // namespace

tl::expected<void, std::string> write_pcap(std::span<const Packet> packets,
                                           const std::string& file) {
  Bytes out;
  put32(out, kMagic);
  put16(out, 2);
  put16(out, 4);
  put32(out, 0);
  put32(out, 0);
  put32(out, kSnapLength);
  put32(out, kLinkTypeRaw);
  std::uint32_t milliseconds = 0;
  for (const Packet& packet : packets) {
    for (const Bytes& bytes : to_wire(packet)) {
      put32(out, milliseconds / 1000);
      put32(out, milliseconds % 1000 * 1000);
      put32(out, static_cast<std::uint32_t>(bytes.size()));
      put32(out, static_cast<std::uint32_t>(bytes.size()));
      put(out, bytes);
    }
    ++milliseconds;
  }
  std::ofstream stream(file, std::ios::binary);
  stream.write(reinterpret_cast<const char*>(out.data()), static_cast<std::streamsize>(out.size()));
  stream.flush();
  if (!stream) return tl::unexpected("cannot write " + file + ": " + std::strerror(errno));
  return {};
}

}  // namespace postern
