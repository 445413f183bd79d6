// Netlink framing over libmnl. Covered by tests/kernel/harness_test.cpp.
#include "kernel/netlink.hpp"

#include <arpa/inet.h>
#include <endian.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace postern::kernel {
namespace {

constexpr std::size_t kReceiveBuffer = 1 << 17;
constexpr int kSocketBuffer = 1 << 23;
constexpr std::size_t kMaxAttributes = 64;

int collect(const nlattr* attribute, void* data) {
  auto& table = *static_cast<std::vector<const nlattr*>*>(data);
  const std::uint16_t type = mnl_attr_get_type(attribute);
  if (type < table.size()) table[type] = attribute;
  return MNL_CB_OK;
}

int hand_on(const nlattr* attribute, void* data) {
  (*static_cast<const std::function<void(const nlattr&)>*>(data))(*attribute);
  return MNL_CB_OK;
}

int error_of(const nlmsghdr& message) {
  const auto* error = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(&message));
  return -error->error;
}

}  // namespace

Message::Message(std::uint16_t type, std::uint16_t flags, std::uint8_t family,
                 std::uint16_t resource) {
  buffer_.resize(MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(nfgenmsg)));
  nlmsghdr* head = mnl_nlmsg_put_header(buffer_.data());
  head->nlmsg_type = type;
  head->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  auto* extra = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(head, sizeof(nfgenmsg)));
  extra->nfgen_family = family;
  extra->version = NFNETLINK_V0;
  extra->res_id = htons(resource);
}

nlmsghdr* Message::header() { return reinterpret_cast<nlmsghdr*>(buffer_.data()); }

std::size_t Message::size() const { return buffer_.size(); }

Message& Message::bytes(std::uint16_t attribute, std::span<const std::uint8_t> value) {
  const std::size_t at = buffer_.size();
  buffer_.resize(at + MNL_ATTR_HDRLEN + MNL_ALIGN(value.size()));
  nlattr head{static_cast<std::uint16_t>(MNL_ATTR_HDRLEN + value.size()), attribute};
  std::memcpy(buffer_.data() + at, &head, sizeof head);
  if (!value.empty())
    std::memcpy(buffer_.data() + at + MNL_ATTR_HDRLEN, value.data(), value.size());
  header()->nlmsg_len = static_cast<std::uint32_t>(buffer_.size());
  return *this;
}

Message& Message::u8(std::uint16_t attribute, std::uint8_t value) {
  return bytes(attribute, {&value, 1});
}

Message& Message::be16(std::uint16_t attribute, std::uint16_t value) {
  const std::uint8_t raw[] = {static_cast<std::uint8_t>(value >> 8),
                              static_cast<std::uint8_t>(value)};
  return bytes(attribute, raw);
}

Message& Message::be32(std::uint16_t attribute, std::uint32_t value) {
  const std::uint8_t raw[] = {
      static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
      static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
  return bytes(attribute, raw);
}

Message& Message::text(std::uint16_t attribute, std::string_view value) {
  const std::string terminated(value);
  return bytes(attribute,
               {reinterpret_cast<const std::uint8_t*>(terminated.c_str()), terminated.size() + 1});
}

Message& Message::nest(std::uint16_t attribute, const std::function<void(Message&)>& content) {
  const std::size_t at = buffer_.size();
  bytes(static_cast<std::uint16_t>(attribute | NLA_F_NESTED), {});
  content(*this);
  const auto length = static_cast<std::uint16_t>(buffer_.size() - at);
  std::memcpy(buffer_.data() + at, &length, sizeof length);
  return *this;
}

void Channel::Closer::operator()(mnl_socket* socket) const { mnl_socket_close(socket); }

Channel::Channel(mnl_socket* socket) : socket_(socket), buffer_(kReceiveBuffer) {}

Outcome<Channel> Channel::open(std::uint32_t groups) {
  mnl_socket* socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
  if (socket == nullptr) return system_error("cannot open a netlink socket");
  Channel channel(socket);
  if (mnl_socket_bind(socket, groups, MNL_SOCKET_AUTOPID) < 0) return system_error("netlink bind");
  const int fd = mnl_socket_get_fd(socket), size = kSocketBuffer;
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }
  return channel;
}

Outcome<void> Channel::send(const void* data, std::size_t size) {
  if (mnl_socket_sendto(socket_.get(), data, size) < 0) return system_error("netlink send");
  return {};
}

Outcome<std::size_t> Channel::receive(int flags) {
  while (true) {
    const ssize_t got =
        recv(mnl_socket_get_fd(socket_.get()), buffer_.data(), buffer_.size(), flags);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return system_error("netlink receive");
  }
}

Outcome<void> Channel::request(Message& message, const MessageHandler& handler) {
  return exchange(message, NLM_F_ACK, "netlink request", handler);
}

Outcome<void> Channel::dump(Message& message, const MessageHandler& handler) {
  return exchange(message, NLM_F_DUMP, "netlink dump", handler);
}

// A request ends with an acknowledgement (an error of 0), a dump with NLMSG_DONE.
Outcome<void> Channel::exchange(Message& message, std::uint16_t flags, const char* what,
                                const MessageHandler& handler) {
  message.header()->nlmsg_seq = ++sequence_;
  message.header()->nlmsg_flags |= flags;
  if (auto sent = send(message.header(), message.size()); !sent) return sent;
  while (true) {
    const auto got = receive(0);
    if (!got) return tl::unexpected(got.error());
    int left = static_cast<int>(*got);
    for (const auto* at = reinterpret_cast<const nlmsghdr*>(buffer_.data()); mnl_nlmsg_ok(at, left);
         at = mnl_nlmsg_next(at, &left)) {
      if (at->nlmsg_seq != sequence_) continue;
      if (at->nlmsg_type == NLMSG_DONE) return {};
      if (at->nlmsg_type == NLMSG_ERROR) {
        errno = error_of(*at);
        if (errno != 0) return system_error(what);
        return {};
      }
      if (handler) handler(*at);
    }
  }
}

void Channel::append(Message& message, std::vector<std::uint8_t>& all) {
  message.header()->nlmsg_seq = ++sequence_;
  const auto* data = reinterpret_cast<const std::uint8_t*>(message.header());
  all.insert(all.end(), data, data + message.size());
}

Outcome<void> Channel::batch(std::vector<Message>& messages, const MessageHandler& handler) {
  std::vector<std::uint8_t> all;
  const std::uint32_t first = sequence_ + 1;
  for (Message& message : messages) append(message, all);
  if (auto sent = send(all.data(), all.size()); !sent) return sent;
  for (std::uint32_t next = first; next != sequence_ + 1;) {
    const auto got = receive(0);
    if (!got) return tl::unexpected(got.error());
    int left = static_cast<int>(*got);
    for (const auto* at = reinterpret_cast<const nlmsghdr*>(buffer_.data()); mnl_nlmsg_ok(at, left);
         at = mnl_nlmsg_next(at, &left)) {
      if (at->nlmsg_seq != next) continue;
      handler(*at);
      ++next;
    }
  }
  return {};
}

Outcome<void> Channel::transaction(std::vector<Message>& messages) {
  Message begin(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
  Message end(NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
  std::vector<std::uint8_t> all;
  append(begin, all);
  messages.back().header()->nlmsg_flags |= NLM_F_ACK;
  for (Message& message : messages) append(message, all);
  const std::uint32_t last = sequence_;
  append(end, all);
  if (auto sent = send(all.data(), all.size()); !sent) return sent;
  while (true) {
    const auto got = receive(0);
    if (!got) return tl::unexpected(got.error());
    int left = static_cast<int>(*got);
    for (const auto* at = reinterpret_cast<const nlmsghdr*>(buffer_.data()); mnl_nlmsg_ok(at, left);
         at = mnl_nlmsg_next(at, &left)) {
      if (at->nlmsg_type != NLMSG_ERROR) continue;
      errno = error_of(*at);
      if (errno != 0) return system_error("nf_tables");
      if (at->nlmsg_seq >= last) return {};
    }
  }
}

void Channel::drain(const MessageHandler& handler, int wait_ms) {
  if (wait_ms > 0) {
    pollfd waiting{mnl_socket_get_fd(socket_.get()), POLLIN, 0};
    poll(&waiting, 1, wait_ms);
  }
  while (auto got = receive(MSG_DONTWAIT)) {
    int left = static_cast<int>(*got);
    for (const auto* at = reinterpret_cast<const nlmsghdr*>(buffer_.data()); mnl_nlmsg_ok(at, left);
         at = mnl_nlmsg_next(at, &left)) {
      if (at->nlmsg_type >= NLMSG_MIN_TYPE) handler(*at);
    }
  }
}

Attributes::Attributes(const nlmsghdr& message) : table_(kMaxAttributes) {
  mnl_attr_parse(&message, sizeof(nfgenmsg), collect, &table_);
}

Attributes::Attributes(const nlattr* nest) : table_(kMaxAttributes) {
  if (nest != nullptr) mnl_attr_parse_nested(nest, collect, &table_);
}

std::span<const std::uint8_t> Attributes::bytes(std::uint16_t type) const {
  const nlattr* attribute = (*this)[type];
  if (attribute == nullptr) return {};
  return {static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute)),
          mnl_attr_get_payload_len(attribute)};
}

std::uint64_t Attributes::be64(std::uint16_t type) const {
  std::uint64_t value = 0;
  for (std::uint8_t byte : bytes(type)) value = value << 8 | byte;
  return value;
}

std::uint8_t Attributes::u8(std::uint16_t type) const {
  return static_cast<std::uint8_t>(be64(type));
}

std::uint16_t Attributes::be16(std::uint16_t type) const {
  return static_cast<std::uint16_t>(be64(type));
}

std::uint32_t Attributes::be32(std::uint16_t type) const {
  return static_cast<std::uint32_t>(be64(type));
}

std::string Attributes::text(std::uint16_t type) const {
  const auto raw = bytes(type);
  std::string value(raw.begin(), raw.end());
  return value.substr(0, value.find('\0'));
}

void for_each_nested(const nlattr* nest, const std::function<void(const nlattr&)>& handler) {
  auto copy = handler;
  if (nest != nullptr) mnl_attr_parse_nested(nest, hand_on, &copy);
}

}  // namespace postern::kernel
