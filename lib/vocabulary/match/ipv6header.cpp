// `-m ipv6header`: which extension headers a packet has (ip6t_ipv6header). They are not modelled.
#include <array>

#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

// In the order in which iptables-save prints them (the kernel's bits, highest first).
constexpr std::array<NamedValue, 8> kPrinted{{{"hop-by-hop", 128},
                                              {"ipv6-opts", 64},
                                              {"ipv6-route", 32},
                                              {"ipv6-frag", 16},
                                              {"esp", 8},
                                              {"ah", 4},
                                              {"ipv6-nonxt", 2},
                                              {"protocol", 1}}};
constexpr std::array<NamedValue, 23> kHeaders{
    {{"hop-by-hop", 128}, {"hop", 128},      {"0", 128},         {"ipv6-opts", 64},
     {"dst", 64},         {"60", 64},        {"ipv6-route", 32}, {"route", 32},
     {"43", 32},          {"ipv6-frag", 16}, {"frag", 16},       {"44", 16},
     {"esp", 8},          {"50", 8},         {"ah", 4},          {"auth", 4},
     {"51", 4},           {"ipv6-nonxt", 2}, {"none", 2},        {"59", 2},
     {"protocol", 1},     {"prot", 1},       {"255", 1}}};

tl::expected<std::uint64_t, Complaint> headers(const Arguments& arguments) {
  return read_names(kHeaders, *arguments.get<std::vector<std::string>>("--header"), "header",
                    false);
}

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  if (const auto read = headers(arguments); !read) return tl::unexpected(read.error());
  return MatchMeaning{opaque("ipv6header: extension headers are not modelled")};
}

std::string print(const Arguments& arguments) {
  std::string text;
  append_option(text, arguments.inverted("--header"), "--header",
                print_names(kPrinted, *headers(arguments)));
  append_bound(text, arguments, "--soft");
  return text;
}

}  // namespace

extern const Match ipv6header;
const Match ipv6header{
    .name = "ipv6header",
    .families = {Family::kIpv6},
    .options =
        {{.name = "--header", .type = ValueType::kWordList, .invertible = true, .required = true},
         {.name = "--soft"}},
    .meaning = meaning,
    .print = print,
};

}  // namespace postern::match
