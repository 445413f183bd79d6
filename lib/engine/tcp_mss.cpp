#include "engine/tcp_mss.hpp"

#include <algorithm>

#include "engine/answer.hpp"
#include "engine/engine.hpp"

namespace postern {
namespace {

constexpr std::uint8_t kNop = 1, kMss = 2, kMssLength = 4;
constexpr std::size_t kMostOptions = 40;
// What a host without the option must be assumed to take (RFC 1122, RFC 8200).
constexpr std::uint16_t kDefault4 = 536, kDefault6 = 1220;
constexpr std::uint32_t kHeaders4 = 40, kHeaders6 = 60, kLargestIpv4 = 65535;

std::uint32_t path_mtu(const World& world, DeviceId device, Family family) {
  const std::uint32_t mtu = world.mtu(device);
  return family == Family::kIpv4 ? std::min(mtu, kLargestIpv4) : mtu;
}

// Room for data in the smaller of the MTUs to the destination and back to the source; 0: none.
std::uint32_t room(const Traveller& packet, const World& world) {
  const Family family = packet.view.family;
  std::uint32_t mtu = path_mtu(world, packet.routed_by(), family);
  const OutputRoute back = world.route_output(packet.view.source_address(), kNoDevice);
  if (back.found) mtu = std::min(mtu, path_mtu(world, back.out, family));
  const std::uint32_t headers = family == Family::kIpv4 ? kHeaders4 : kHeaders6;
  return mtu <= headers ? 0 : mtu - headers;
}

// Where the option stands; the options' size when there is none.
std::size_t find_option(const Bytes& options) {
  std::size_t at = 0;
  while (at + kMssLength <= options.size()) {
    if (options[at] == kMss && options[at + 1] == kMssLength) return at;
    at += options[at] <= kNop || options[at + 1] == 0 ? 1 : options[at + 1];
  }
  return options.size();
}

void write(Bytes& options, std::size_t at, std::uint16_t size) {
  options[at + 2] = static_cast<std::uint8_t>(size >> 8);
  options[at + 3] = static_cast<std::uint8_t>(size);
}

// False: nothing to do.
bool change(Bytes& options, bool has_data, std::uint16_t size, Family family) {
  options.resize((options.size() + 3) / 4 * 4);
  const std::size_t at = find_option(options);
  if (at < options.size()) {
    if (get16(options, at + 2) <= size) return false;
    write(options, at, size);
    return true;
  }
  if (has_data || options.size() >= kMostOptions) return false;
  options.insert(options.begin(), {kMss, kMssLength, 0, 0});
  write(options, 0, std::min(size, family == Family::kIpv4 ? kDefault4 : kDefault6));
  return true;
}

}  // namespace

bool lower_mss(const LowerMss& how, Traveller& packet, const World& world) {
  const PacketView& view = packet.view;
  if (view.fragment_offset != 0) return true;
  if (view.truncated || view.bad_length) return false;
  if (view.packet->raw || view.packet->raw_l4) {
    throw Unmodelled("TCPMSS on a packet that is given as bytes");
  }
  std::uint32_t size = 0;
  if (how.size) {
    size = *how.size;
  } else if ((size = room(packet, world)) == 0) {
    return false;
  }
  Packet made = current(view);
  if (!change(made.options, !made.payload.empty(), static_cast<std::uint16_t>(size), view.family)) {
    return true;
  }
  packet.rewritten.push_back(std::make_shared<const Packet>(std::move(made)));
  packet.view = view_of(*packet.rewritten.back());
  read_headers(packet);
  return true;
}

}  // namespace postern
