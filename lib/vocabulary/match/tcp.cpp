// `-m tcp`: ports, flags and options of a TCP header (xt_tcpudp). --syn is a name for one flag
// test.
#include "net/protocol.hpp"
#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

constexpr std::uint64_t kSynMask =
    tcp_flag::kFin | tcp_flag::kSyn | tcp_flag::kRst | tcp_flag::kAck;

// The flag test of a rule, whether written --tcp-flags or --syn.
struct FlagTest {
  MaskedNumber flags;
  bool inverted;
};

std::optional<FlagTest> flag_test(const Arguments& arguments) {
  if (const BoundOption* option = arguments.find("--tcp-flags")) {
    return FlagTest{std::get<MaskedNumber>(option->value), option->inverted};
  }
  if (const BoundOption* option = arguments.find("--syn")) {
    return FlagTest{{tcp_flag::kSyn, kSynMask}, option->inverted};
  }
  return std::nullopt;
}

// Null where iptables-nft runs the kernel's own match: with --tcp-option, and without any test.
PredicatePtr translated(const Arguments& arguments) {
  const auto test = flag_test(arguments);
  const bool flags = test && (test->inverted || test->flags.mask != 0 || test->flags.value != 0);
  if (arguments.has("--tcp-option") || (!flags && !tests_a_port(arguments))) return nullptr;
  PredicatePtr of_flags = constant(true);
  if (flags && test->flags.mask == 0) {
    of_flags = opaque("some versions of iptables-nft leave out a test of no TCP flag");
  } else if (flags) {
    of_flags = all(
        {negate(cut_before(Field::kTcpFlags)),
         negate_if(test->inverted, masked(Field::kTcpFlags, test->flags.value, test->flags.mask))});
  }
  return translated_ports(protocol::kTcp, arguments, {std::move(of_flags)});
}

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  // iptables refuses a reversed range here, but takes it for udp, where it never matches.
  for (const std::string_view name : {"--sport", "--dport"}) {
    const auto* range = arguments.get<NumberRange>(name);
    if (range != nullptr && range->lo > range->hi) {
      return complaint("the port range of " + std::string(name) + " runs backwards",
                       "the lower port first");
    }
  }
  std::vector<PredicatePtr> tests{
      range_test(Field::kSourcePort, arguments, "--sport"),
      range_test(Field::kDestinationPort, arguments, "--dport"),
  };
  if (const auto test = flag_test(arguments)) {
    tests.push_back(
        negate_if(test->inverted, masked(Field::kTcpFlags, test->flags.value, test->flags.mask)));
  }
  if (const BoundOption* option = arguments.find("--tcp-option")) {
    const auto kind = static_cast<std::uint8_t>(std::get<NumberRange>(option->value).lo);
    tests.push_back(negate_if(option->inverted, tcp_option(kind)));
  }
  MatchMeaning made = on_transport(protocol::kTcp, all(std::move(tests)));
  // A fragment that begins 8 bytes into the header is dropped, too: of IPv4 only, as ip6tables
  // counts the offset in bytes and never meets the 1 that the match looks for (xt_tcpudp.c).
  if (arguments.family == Family::kIpv4) {
    made.hotdrop =
        any({made.hotdrop,
             all({equals(Field::kProtocol, protocol::kTcp), equals(Field::kFragmentOffset, 1)})});
  }
  made.translated = translated(arguments);
  return made;
}

std::string print(const Arguments& arguments) {
  std::string text;
  append_range(text, arguments, "--sport", 65535);
  append_range(text, arguments, "--dport", 65535);
  append_bound(text, arguments, "--tcp-option");
  // A test of no flag prints as nothing; inverted, where iptables-save loses it, it is kept.
  const auto test = flag_test(arguments);
  if (test && (test->inverted || test->flags.mask != 0 || test->flags.value != 0)) {
    append_option(text, test->inverted, "--tcp-flags",
                  print_value(ValueType::kFlagsPair, test->flags));
  }
  return text;
}

}  // namespace

extern const Match tcp;
const Match tcp{
    .name = "tcp",
    .protocols = {protocol::kTcp},
    .options =
        {{.name = "--sport",
          .aliases = {"--source-port"},
          .type = ValueType::kPortRange,
          .invertible = true},
         {.name = "--dport",
          .aliases = {"--destination-port"},
          .type = ValueType::kPortRange,
          .invertible = true},
         {.name = "--tcp-flags",
          .type = ValueType::kFlagsPair,
          .invertible = true,
          .excludes = "flags"},
         {.name = "--syn", .type = ValueType::kFlag, .invertible = true, .excludes = "flags"},
         {.name = "--tcp-option",
          .type = ValueType::kUnsigned,
          .invertible = true,
          .min = 1,
          .max = 255}},
    .meaning = meaning,
    .print = print,
};

}  // namespace postern::match
