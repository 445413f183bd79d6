// Netlink sockets and messages, over libmnl. A Message grows one netlink message; a Channel sends
// and receives in the namespace in which it was opened, wherever its thread is later. Covered by
// tests/kernel/harness_test.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/system.hpp"

struct nlmsghdr;
struct nlattr;
struct mnl_socket;

namespace postern::kernel {

// One netfilter netlink message under construction.
class Message {
 public:
  // `type` is (subsystem << 8) | message; `family` an address family or protocol.
  Message(std::uint16_t type, std::uint16_t flags, std::uint8_t family, std::uint16_t resource = 0);

  Message& u8(std::uint16_t attribute, std::uint8_t value);
  Message& be16(std::uint16_t attribute, std::uint16_t value);
  Message& be32(std::uint16_t attribute, std::uint32_t value);
  Message& bytes(std::uint16_t attribute, std::span<const std::uint8_t> value);
  Message& text(std::uint16_t attribute, std::string_view value);  // zero-terminated
  Message& nest(std::uint16_t attribute, const std::function<void(Message&)>& content);

  nlmsghdr* header();
  std::size_t size() const;

 private:
  std::vector<std::uint8_t> buffer_;
};

using MessageHandler = std::function<void(const nlmsghdr&)>;

class Channel {
 public:
  static Outcome<Channel> open(std::uint32_t groups = 0);

  // Sends one message and waits for its acknowledgement; answers go to `handler`.
  Outcome<void> request(Message& message, const MessageHandler& handler = {});
  // Sends a dump request and hands on every part of the answer.
  Outcome<void> dump(Message& message, const MessageHandler& handler);
  // Sends all in one datagram. Each is answered by exactly one message or error: both go to the
  // handler, in order.
  Outcome<void> batch(std::vector<Message>& messages, const MessageHandler& handler);
  // Sends all as one nf_tables transaction; the error is the first that the kernel names.
  Outcome<void> transaction(std::vector<Message>& messages);
  // Hands on everything that waits, without blocking; with `wait_ms` >= 0 waits that long for the
  // first message.
  void drain(const MessageHandler& handler, int wait_ms = 0);

 private:
  struct Closer {
    void operator()(mnl_socket* socket) const;
  };
  explicit Channel(mnl_socket* socket);
  Outcome<void> exchange(Message& message, std::uint16_t flags, const char* what,
                         const MessageHandler& handler);
  // Numbers the message and puts its bytes behind `all`.
  void append(Message& message, std::vector<std::uint8_t>& all);
  Outcome<void> send(const void* data, std::size_t size);
  Outcome<std::size_t> receive(int flags);

  std::unique_ptr<mnl_socket, Closer> socket_;
  std::vector<std::uint8_t> buffer_;
  std::uint32_t sequence_ = 0;
};

// The attributes of a message (behind nfgenmsg) or of a nest, by type; null where absent.
// REQUIRES: the message outlives the table.
class Attributes {
 public:
  explicit Attributes(const nlmsghdr& message);
  explicit Attributes(const nlattr* nest);  // nullptr: all absent

  const nlattr* operator[](std::uint16_t type) const {
    return type < table_.size() ? table_[type] : nullptr;
  }
  bool has(std::uint16_t type) const { return (*this)[type] != nullptr; }
  std::uint8_t u8(std::uint16_t type) const;
  std::uint16_t be16(std::uint16_t type) const;
  std::uint32_t be32(std::uint16_t type) const;
  std::uint64_t be64(std::uint16_t type) const;
  std::string text(std::uint16_t type) const;
  std::span<const std::uint8_t> bytes(std::uint16_t type) const;

 private:
  std::vector<const nlattr*> table_;
};

// Every attribute of a list, in order, of equal types too; nothing for nullptr.
void for_each_nested(const nlattr* nest, const std::function<void(const nlattr&)>& handler);

}  // namespace postern::kernel
