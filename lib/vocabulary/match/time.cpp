// `-m time`: the hour and the day (xt_time). When the packet comes is not in the text.
#include <fmt/format.h>

#include <array>

#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

constexpr std::array<std::string_view, 7> kDays{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::uint32_t kEveryWeekday = 0xfe;         // bits 1 to 7
constexpr std::uint32_t kEveryMonthday = 0xfffffffe;  // bits 1 to 31
constexpr std::string_view kLastDate = "2038-01-19T03:14:07";
constexpr std::uint64_t kLastSecond = 86399;

using Words = std::vector<std::string>;

// Seconds of "hh:mm[:ss]".
std::optional<std::uint64_t> clock(const std::string& word) {
  const std::vector<std::string> parts = split(word, ':');
  if (parts.size() < 2 || parts.size() > 3) return std::nullopt;
  std::uint64_t seconds = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    // Leading zeros are decimal here.
    std::string part = i < parts.size() ? parts[i] : "0";
    if (part.size() == 2 && part[0] == '0') part.erase(0, 1);
    const auto number = part.size() <= 2 ? read_number(part) : std::nullopt;
    if (!number || *number > (i == 0 ? 23u : 59u)) return std::nullopt;
    seconds = seconds * 60 + *number;
  }
  return seconds;
}

std::string print_clock(std::uint64_t seconds) {
  return fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

// "YYYY[-MM[-DD[Thh[:mm[:ss]]]]]" filled up.
std::optional<std::string> date(const std::string& word) {
  static constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  static constexpr std::string_view kRest = "1970-01-01T00:00:00";
  static constexpr std::size_t kEnds[] = {4, 7, 10, 13, 16, 19};
  if (word.size() > kShape.size()) return std::nullopt;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const bool digit = word[i] >= '0' && word[i] <= '9';
    if (kShape[i] == 'd' ? !digit : word[i] != kShape[i]) return std::nullopt;
  }
  for (const std::size_t end : kEnds) {
    if (word.size() == end) return word + std::string(kRest.substr(end));
  }
  return std::nullopt;
}

std::optional<std::uint32_t> weekdays(const Words& words) {
  std::uint32_t bits = 0;
  for (const std::string& word : words) {
    unsigned day = 0;
    if (const auto number = read_number(word)) {
      if (*number < 1 || *number > 7) return std::nullopt;
      day = static_cast<unsigned>(*number);
    }
    for (unsigned i = 0; i < kDays.size() && day == 0 && word.size() >= 2; ++i) {
      if (kDays[i].starts_with(word.substr(0, 3))) day = i + 1;
    }
    if (day == 0) return std::nullopt;
    bits |= 1u << day;
  }
  return bits;
}

std::optional<std::uint32_t> monthdays(const Words& words) {
  std::uint32_t bits = 0;
  for (const std::string& word : words) {
    const auto number = read_number(word);
    if (!number || *number < 1 || *number > 31) return std::nullopt;
    bits |= 1u << *number;
  }
  return bits;
}

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  for (const std::string_view name : {"--timestart", "--timestop"}) {
    const auto* word = arguments.get<std::string>(name);
    if (word != nullptr && !clock(*word)) {
      return complaint("\"" + *word + "\" is not a time of day", "hh:mm[:ss]");
    }
  }
  for (const std::string_view name : {"--datestart", "--datestop"}) {
    const auto* word = arguments.get<std::string>(name);
    if (word != nullptr && !date(*word)) {
      return complaint("\"" + *word + "\" is not a date", "YYYY-MM-DDThh:mm:ss, or its beginning");
    }
  }
  const auto* weekday = arguments.get<Words>("--weekdays");
  if (weekday != nullptr && !weekdays(*weekday)) {
    return complaint("not a list of weekdays", "such as Mon,Tue or 1,2");
  }
  const auto* monthday = arguments.get<Words>("--monthdays");
  if (monthday != nullptr && !monthdays(*monthday)) {
    return complaint("not a list of days of a month", "numbers from 1 to 31");
  }
  return MatchMeaning{opaque("time: when the packet comes")};
}

// An inverted list prints as the days that are left.
template <class Name>
void append_days(std::string& text, std::string_view option, std::uint32_t bits,
                 std::uint32_t every, bool inverted, const Name& name) {
  if (inverted) bits ^= every;
  if (bits == every) return;
  std::string days;
  for (unsigned day = 1; day < 32; ++day) {
    if ((bits >> day & 1) != 0) days += (days.empty() ? "" : ",") + name(day);
  }
  append_option(text, false, option, days);
}

std::string print(const Arguments& arguments) {
  const auto second = [&](std::string_view name, std::uint64_t otherwise) {
    const auto* word = arguments.get<std::string>(name);
    return word == nullptr ? otherwise : *clock(*word);
  };
  std::string text;
  const std::uint64_t start = second("--timestart", 0), stop = second("--timestop", kLastSecond);
  if (start != 0 || stop != kLastSecond) {
    append_option(text, false, "--timestart", print_clock(start));
    append_option(text, false, "--timestop", print_clock(stop));
  }
  if (const auto* words = arguments.get<Words>("--monthdays")) {
    append_days(text, "--monthdays", *monthdays(*words), kEveryMonthday,
                arguments.inverted("--monthdays"),
                [](unsigned day) { return std::to_string(day); });
  }
  if (const auto* words = arguments.get<Words>("--weekdays")) {
    append_days(text, "--weekdays", *weekdays(*words), kEveryWeekday,
                arguments.inverted("--weekdays"),
                [](unsigned day) { return std::string(kDays[day - 1]); });
  }
  if (const auto* word = arguments.get<std::string>("--datestart")) {
    append_option(text, false, "--datestart", *date(*word));
  }
  // iptables-save 1.8.9 prints the last date even when the rule has none.
  const auto* last = arguments.get<std::string>("--datestop");
  append_option(text, false, "--datestop", last == nullptr ? std::string(kLastDate) : *date(*last));
  append_bound(text, arguments, "--kerneltz");
  append_bound(text, arguments, "--contiguous");
  return text;
}

}  // namespace

extern const Match time;
const Match time{
    .name = "time",
    .options = {{.name = "--timestart", .type = ValueType::kText},
                {.name = "--timestop", .type = ValueType::kText},
                {.name = "--monthdays", .type = ValueType::kWordList, .invertible = true},
                {.name = "--weekdays", .type = ValueType::kWordList, .invertible = true},
                {.name = "--datestart", .type = ValueType::kText},
                {.name = "--datestop", .type = ValueType::kText},
                {.name = "--kerneltz"},
                {.name = "--contiguous"},
                {.name = "--localtz"},
                {.name = "--utc"}},
    .meaning = meaning,
    .print = print,
};

}  // namespace postern::match
