// `-m hashlimit`: a token bucket for each group of packets (xt_hashlimit, revision 3). It drops the
// packet when its table is full, or when a mode needs ports that the packet does not have.
#include "vocabulary/build.hpp"
#include "vocabulary/rate.hpp"

namespace postern::match {
namespace {

constexpr std::uint64_t kScale = 1000000;  // XT_HASHLIMIT_SCALE_v2

constexpr NamedValue kModes[] = {{"dstip", 1}, {"srcip", 2}, {"dstport", 4}, {"srcport", 8}};
constexpr NamedValue kPrintedModes[] = {{"srcip", 2}, {"srcport", 8}, {"dstip", 1}, {"dstport", 4}};

struct Limit {
  bool above;
  std::string text;
};

Limit limit(const Arguments& arguments) {
  for (const std::string_view name : {"--hashlimit-above", "--hashlimit-upto"}) {
    if (const BoundOption* option = arguments.find(name)) {
      return {(name == "--hashlimit-above") != option->inverted,
              std::get<std::string>(option->value)};
    }
  }
  return {false, ""};
}

// "512kb/s", "1mb/s", "300b/s": a rate in bytes; its number of bytes per second.
std::optional<std::uint64_t> bytes(std::string_view text) {
  if (text.ends_with("/s")) text.remove_suffix(2);
  if (!text.ends_with("b")) return std::nullopt;
  text.remove_suffix(1);
  std::uint64_t factor = 1;
  if (text.ends_with("k")) factor = 1024;
  if (text.ends_with("m")) factor = 1024 * 1024;
  if (factor > 1) text.remove_suffix(1);
  const auto number = read_number(text);
  if (!number || *number == 0) return std::nullopt;
  return *number * factor;
}

bool by_bytes(const Arguments& arguments) {
  return limit(arguments).text.find('b') != std::string::npos;
}

std::string print_bytes(std::uint64_t count) {
  if (count % (1024 * 1024) == 0) return std::to_string(count / (1024 * 1024)) + "mb";
  if (count % 1024 == 0) return std::to_string(count / 1024) + "kb";
  return std::to_string(count) + "b";
}

tl::expected<std::uint64_t, Complaint> modes(const Arguments& arguments) {
  const auto* words = arguments.get<std::vector<std::string>>("--hashlimit-mode");
  if (words == nullptr || *words == std::vector<std::string>{""}) return 0;
  return read_names(kModes, *words, "mode of hashlimit", false);
}

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  const std::string rate = limit(arguments).text;
  const bool right = by_bytes(arguments) ? rate.ends_with("/s") && bytes(rate)
                                         : read_rate(rate, kScale).has_value();
  if (!right) {
    return complaint("\"" + rate + "\" is not a rate",
                     "a count and a unit, such as 5/second or 512kb/s");
  }
  if (const auto read = modes(arguments); !read) return tl::unexpected(read.error());
  if (const auto* burst = arguments.get<std::string>("--hashlimit-burst")) {
    const auto number = read_number(*burst);
    if (by_bytes(arguments) ? !bytes(*burst) : !number || *number == 0 || *number > 1000000) {
      return complaint("\"" + *burst + "\" is not a burst", "a number from 1 to 1000000");
    }
  }
  if (arguments.has("--hashlimit-rate-interval") && !arguments.has("--hashlimit-rate-match")) {
    return complaint("--hashlimit-rate-interval without --hashlimit-rate-match",
                     "add --hashlimit-rate-match");
  }
  return MatchMeaning{opaque("hashlimit: how many packets came before", true)};
}

std::string burst_text(const Arguments& arguments) {
  const auto* burst = arguments.get<std::string>("--hashlimit-burst");
  if (!by_bytes(arguments)) {
    return burst == nullptr ? "5" : std::to_string(*read_number(*burst));
  }
  return burst == nullptr ? "" : print_bytes(*bytes(*burst));
}

// An idle entry lives as long as the rate's unit unless the rule says otherwise; what iptables-save
// takes for that unit comes from the rate as it prints it.
std::optional<u128> unusual_expiry(const Arguments& arguments, const std::string& printed_rate) {
  const auto unit = [](std::string_view rate) -> std::uint64_t {
    const std::size_t slash = rate.find('/');
    const char first = slash == std::string_view::npos ? 's' : rate[slash + 1];
    return 1000u * (first == 'd' ? 86400u : first == 'h' ? 3600u : first == 'm' ? 60u : 1u);
  };
  const auto* given = arguments.get<NumberRange>("--hashlimit-htable-expire");
  const u128 expiry = given == nullptr ? unit(limit(arguments).text) : given->lo;
  if (expiry == unit(printed_rate)) return std::nullopt;
  return expiry;
}

std::string print(const Arguments& arguments) {
  const Limit bound = limit(arguments);
  const std::string rate = by_bytes(arguments) ? print_bytes(*bytes(bound.text)) + "/s"
                                               : print_rate(*read_rate(bound.text, kScale), kScale);
  std::string text;
  append_option(text, false, bound.above ? "--hashlimit-above" : "--hashlimit-upto", rate);
  if (const std::string burst = burst_text(arguments); !burst.empty()) {
    append_option(text, false, "--hashlimit-burst", burst);
  }
  if (const auto mode = *modes(arguments); mode != 0) {
    append_option(text, false, "--hashlimit-mode", print_names(kPrintedModes, mode));
  }
  append_option(text, false, "--hashlimit-name", *arguments.get<std::string>("--hashlimit-name"));
  append_bound(text, arguments, "--hashlimit-htable-size");
  append_bound(text, arguments, "--hashlimit-htable-max");
  append_bound(text, arguments, "--hashlimit-htable-gcinterval");
  if (const auto expiry = unusual_expiry(arguments, rate)) {
    append_option(text, false, "--hashlimit-htable-expire", to_decimal(*expiry));
  }
  append_bound(text, arguments, "--hashlimit-srcmask");
  append_bound(text, arguments, "--hashlimit-dstmask");
  append_bound(text, arguments, "--hashlimit-rate-match");
  append_bound(text, arguments, "--hashlimit-rate-interval");
  return text;
}

constexpr OptionSpec number(std::string_view name, std::uint64_t max = 0xffffffff) {
  return {.name = name, .type = ValueType::kUnsigned, .max = max};
}

}  // namespace

extern const Match hashlimit;
const Match hashlimit{
    .name = "hashlimit",
    .options = {{.name = "--hashlimit-upto",
                 .aliases = {"--hashlimit"},
                 .type = ValueType::kText,
                 .invertible = true,
                 .required = true,
                 .excludes = "limit"},
                {.name = "--hashlimit-above",
                 .type = ValueType::kText,
                 .invertible = true,
                 .excludes = "limit"},
                {.name = "--hashlimit-burst", .type = ValueType::kText},
                {.name = "--hashlimit-mode", .type = ValueType::kWordList},
                {.name = "--hashlimit-name", .type = ValueType::kText, .required = true},
                number("--hashlimit-htable-size"),
                number("--hashlimit-htable-max"),
                number("--hashlimit-htable-gcinterval"),
                number("--hashlimit-htable-expire"),
                number("--hashlimit-srcmask", 128),
                number("--hashlimit-dstmask", 128),
                {.name = "--hashlimit-rate-match"},
                number("--hashlimit-rate-interval")},
    .meaning = meaning,
    .print = print,
};

}  // namespace postern::match
