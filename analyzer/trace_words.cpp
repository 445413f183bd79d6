// PACKET words -> packets, and the world around them (analyzer/trace.hpp).
#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <limits>
#include <map>

#include "analyzer/trace.hpp"
#include "net/protocol.hpp"
#include "scenario/result.hpp"

namespace postern {
namespace {

struct Word {
  std::string_view text;
  Span span;
};

std::vector<Word> split(const SourceFile& source) {
  std::vector<Word> words;
  const std::string_view text = source.text();
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = text.find_first_not_of(' ', at);
    if (begin == std::string_view::npos) break;
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    words.push_back({text.substr(begin, end - begin),
                     {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)}});
    at = end;
  }
  return words;
}

std::optional<std::uint32_t> number(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x")) {
    base = 16;
    text.remove_prefix(2);
  }
  std::uint32_t value = 0;
  const auto end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<std::uint8_t> flag_set(std::string_view text) {
  static const std::map<std::string_view, unsigned> kFlags{
      {"FIN", 1},  {"SYN", 2},  {"RST", 4},   {"PSH", 8},  {"ACK", 16},
      {"URG", 32}, {"ECE", 64}, {"CWR", 128}, {"ALL", 63}, {"NONE", 0}};
  unsigned set = 0;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const auto it = kFlags.find(text.substr(0, comma));
    if (it == kFlags.end()) return std::nullopt;
    set |= it->second;
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return static_cast<std::uint8_t>(set);
}

// Reads one word into a packet under construction; false when the word makes no sense there.
struct Draft {
  Packet packet;
  std::string in, out;
  std::optional<Address> source, destination;
  std::optional<std::uint8_t> protocol, flags;
  std::optional<std::uint32_t> length;
  bool icmp_type = false;
};
using Reader = std::function<bool(Draft&, std::string_view)>;

template <class Member>
Reader numeric(Member member) {
  return [member](Draft& draft, std::string_view word) {
    const auto value = number(word);
    auto& to = draft.packet.*member;
    if (!value || *value > std::numeric_limits<std::remove_reference_t<decltype(to)>>::max()) {
      return false;
    }
    to = static_cast<std::remove_reference_t<decltype(to)>>(*value);
    return true;
  };
}

Reader address(std::optional<Address> Draft::*member, Family family) {
  return [member, family](Draft& draft, std::string_view word) {
    draft.*member = Address::parse(word, family);
    return (draft.*member).has_value();
  };
}

Reader port(std::uint16_t Packet::*member) {
  return [member](Draft& draft, std::string_view word) {
    const auto value = number(word);
    const auto named = value ? std::nullopt : service_port(word, "tcp");
    if ((!value || *value > 65535) && !named) return false;
    draft.packet.*member = named ? *named : static_cast<std::uint16_t>(*value);
    return true;
  };
}

bool read_icmp_type(Draft& draft, std::string_view word) {
  const std::size_t slash = word.find('/');
  const auto type = number(word.substr(0, slash));
  const auto code = slash == std::string_view::npos ? std::optional<std::uint32_t>(0)
                                                    : number(word.substr(slash + 1));
  if (!type || *type > 255 || !code || *code > 255) return false;
  draft.packet.type = static_cast<std::uint8_t>(*type);
  draft.packet.code = static_cast<std::uint8_t>(*code);
  draft.icmp_type = true;
  return true;
}

bool read_flags(Draft& draft, std::string_view word) {
  draft.flags = flag_set(word);
  return draft.flags.has_value();
}

struct Option {
  std::string_view wants;
  Reader read;
};

std::map<std::string_view, Option> options(Family family) {
  const Reader in = [](Draft& d, std::string_view w) {
    d.in = w;
    return true;
  };
  const Reader out = [](Draft& d, std::string_view w) {
    d.out = w;
    return true;
  };
  const Reader protocol = [](Draft& d, std::string_view w) {
    d.protocol = protocol_number(w);
    return d.protocol.has_value();
  };
  const Reader length = [](Draft& d, std::string_view w) {
    d.length = number(w);
    return d.length && *d.length <= 65535;
  };
  const Reader skip = [](Draft&, std::string_view) { return true; };
  const Reader source = address(&Draft::source, family), to = address(&Draft::destination, family);
  const Reader sport = port(&Packet::source_port), dport = port(&Packet::destination_port);
  const std::string_view address_form =
      family == Family::kIpv4 ? "an IPv4 address" : "an IPv6 address";
  return {{"-i", {"an interface", in}},
          {"--in-interface", {"an interface", in}},
          {"-o", {"an interface", out}},
          {"--out-interface", {"an interface", out}},
          {"-s", {address_form, source}},
          {"--source", {address_form, source}},
          {"-d", {address_form, to}},
          {"--destination", {address_form, to}},
          {"-p", {"a protocol", protocol}},
          {"--protocol", {"a protocol", protocol}},
          {"--sport", {"a port", sport}},
          {"--source-port", {"a port", sport}},
          {"--dport", {"a port", dport}},
          {"--destination-port", {"a port", dport}},
          {"--flags", {"flags such as SYN,ACK or NONE", read_flags}},
          {"--icmp-type", {"a type such as 8 or 3/1", read_icmp_type}},
          {"--icmpv6-type", {"a type such as 128 or 1/4", read_icmp_type}},
          {"--ttl", {"a number up to 255", numeric(&Packet::ttl)}},
          {"--hl", {"a number up to 255", numeric(&Packet::ttl)}},
          {"--tos", {"a number up to 255", numeric(&Packet::tos)}},
          {"--mark", {"a 32-bit number", numeric(&Packet::mark)}},
          {"--seq", {"a 32-bit number", numeric(&Packet::seq)}},
          {"--ack", {"a 32-bit number", numeric(&Packet::ack)}},
          {"--length", {"a number of bytes", length}},
          {"-m", {"a module's name", skip}},
          {"--match", {"a module's name", skip}}};
}

Address example(Family family, bool loopback, bool near) {
  const bool v4 = family == Family::kIpv4;
  if (loopback) return *Address::parse(v4 ? "127.0.0.1" : "::1");
  if (near) return *Address::parse(v4 ? "192.0.2.1" : "2001:db8::1");
  return *Address::parse(v4 ? "198.51.100.9" : "2001:db8:1::9");
}

// Fills in what was not said.
TracePacket finish(Draft draft, Family family) {
  Packet& p = draft.packet;
  const bool loopback = draft.in == "lo" || draft.out == "lo";
  const bool local = loopback || (draft.in.empty() && !draft.out.empty());
  TracePacket made;
  if (!local) {
    p.in = draft.in.empty() ? "eth0" : draft.in;
    made.forwarded_to = draft.out;
  } else if (!loopback) {
    p.out_interface = draft.out;
  }
  const Address away =
      family == Family::kIpv4 ? *Address::parse("203.0.113.9") : *Address::parse("2001:db8:2::9");
  p.source = draft.source.value_or(example(family, loopback, local));
  p.destination = draft.destination.value_or(
      made.forwarded_to.empty() ? example(family, loopback, !local) : away);
  const bool icmp_words = draft.icmp_type;
  const std::uint8_t icmp = family == Family::kIpv4 ? protocol::kIcmp : protocol::kIcmpv6;
  p.protocol = draft.protocol.value_or(icmp_words ? icmp : protocol::kTcp);
  if (p.protocol == icmp && !icmp_words) p.type = family == Family::kIpv4 ? 8 : 128;
  if (p.source_port == 0) p.source_port = 50000;
  if (p.destination_port == 0) p.destination_port = 80;
  if (p.protocol == protocol::kTcp) p.flags = draft.flags.value_or(tcp_flag::kSyn);
  const std::uint32_t bare = ip_length(p);
  if (draft.length && *draft.length > bare) p.payload.resize(*draft.length - bare, 0);
  made.packet = std::move(p);
  return made;
}

std::string option_list(const std::map<std::string_view, Option>& known) {
  std::string list;
  for (const auto& [name, option] : known) {
    if (!list.empty()) list += ' ';
    list += name;
  }
  return list + " --syn --tcp-flags --then";
}

}  // namespace

Result<std::vector<TracePacket>> read_packet_words(const SourceFile& source, Family family) {
  const auto known = options(family);
  const std::vector<Word> words = split(source);
  Diagnostics errors;
  std::vector<TracePacket> packets;
  Draft draft;
  const auto complain = [&](Span span, std::string message, std::string help) {
    errors.push_back({Severity::kError, "packet", span, std::move(message), std::move(help), {}});
  };
  for (std::size_t i = 0; i < words.size(); ++i) {
    const Word& word = words[i];
    if (word.text == "--then") {
      packets.push_back(finish(std::exchange(draft, {}), family));
    } else if (word.text == "--syn") {
      draft.flags = tcp_flag::kSyn;
    } else if (word.text == "--tcp-flags") {
      if (i + 2 >= words.size() || !flag_set(words[i + 1].text) ||
          !read_flags(draft, words[i + 2].text)) {
        complain(word.span, "--tcp-flags needs two lists of flags", "--tcp-flags ALL SYN,ACK");
      }
      i += 2;
    } else if (const auto it = known.find(word.text); it == known.end()) {
      complain(word.span, "a packet has no " + std::string(word.text),
               "known: " + option_list(known));
    } else if (++i >= words.size()) {
      complain(word.span, std::string(word.text) + " needs " + std::string(it->second.wants), "");
    } else if (!it->second.read(draft, words[i].text)) {
      complain(words[i].span, std::string(word.text) + " needs " + std::string(it->second.wants),
               "");
    }
  }
  if (!errors.empty()) return tl::unexpected(std::move(errors));
  packets.push_back(finish(std::move(draft), family));
  return packets;
}

Scenario trace_world(const std::vector<TracePacket>& packets, Family family) {
  Scenario world;
  const unsigned host = address_bits(family);
  const auto device = [&](const std::string& name) -> Interface& {
    const auto it = std::ranges::find(world.interfaces, name, &Interface::name);
    if (it != world.interfaces.end()) return *it;
    world.interfaces.push_back({name, {}, 1500});
    return world.interfaces.back();
  };
  const auto own = [&](Interface& interface, const Address& address, unsigned length) {
    for (const Interface& other : world.interfaces) {
      for (const InterfaceAddress& one : other.addresses) {
        if (one.address == address) return;
      }
    }
    interface.addresses.push_back({address, length});
  };
  const auto route = [&](const Address& to, const std::string& name) {
    world.routes.push_back({{to, low_bits(host)}, name, std::nullopt, "unicast"});
  };
  device("lo");
  for (const TracePacket& one : packets) {
    const Packet& p = one.packet;
    if (!p.in.empty()) {
      Interface& in = device(p.in);
      if (one.forwarded_to.empty()) own(in, p.destination, host);
      route(p.source, p.in);
      if (one.forwarded_to.empty()) continue;
      world.forwarding = true;
      own(device(p.in), example(family, false, true), host);
      device(one.forwarded_to);
      route(p.destination, one.forwarded_to);
    } else if (!p.out_interface.empty()) {
      own(device(p.out_interface), p.source, host);
      route(p.destination, p.out_interface);
    } else {
      own(device("lo"), p.source, host);
      own(device("lo"), p.destination, host);
    }
  }
  return world;
}

}  // namespace postern
