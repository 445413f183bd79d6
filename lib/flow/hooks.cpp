#include "flow/hooks.hpp"

#include <array>

namespace postern {
namespace {

using Kind = Stage::Kind;

constexpr Stage table(TableName name) { return {Kind::kTable, name}; }

constexpr std::array kPreroutingStages{Stage{Kind::kDefragment}, table(TableName::kRaw),
                                       Stage{Kind::kConntrack}, table(TableName::kMangle),
                                       Stage{Kind::kNat, TableName::kNat}};
constexpr std::array kInputLegacy{table(TableName::kMangle), table(TableName::kFilter),
                                  table(TableName::kSecurity), Stage{Kind::kNat, TableName::kNat},
                                  Stage{Kind::kConfirm}};
constexpr std::array kInputNft{table(TableName::kMangle), table(TableName::kFilter),
                               Stage{Kind::kNat, TableName::kNat}, table(TableName::kSecurity),
                               Stage{Kind::kConfirm}};
constexpr std::array kForwardStages{table(TableName::kMangle), table(TableName::kFilter),
                                    table(TableName::kSecurity)};
constexpr std::array kOutputStages{Stage{Kind::kDefragment},
                                   table(TableName::kRaw),
                                   Stage{Kind::kConntrack},
                                   table(TableName::kMangle),
                                   Stage{Kind::kNat, TableName::kNat},
                                   table(TableName::kFilter),
                                   table(TableName::kSecurity)};
constexpr std::array kPostroutingStages{table(TableName::kMangle),
                                        Stage{Kind::kNat, TableName::kNat}, Stage{Kind::kConfirm}};

constexpr std::array kInHooks{Hook::kPrerouting, Hook::kInput};
constexpr std::array kOutHooks{Hook::kOutput, Hook::kPostrouting};
constexpr std::array kForwardHooks{Hook::kPrerouting, Hook::kForward, Hook::kPostrouting};
constexpr std::array kLoopbackHooks{Hook::kOutput, Hook::kPostrouting, Hook::kPrerouting,
                                    Hook::kInput};

}  // namespace

std::string_view text(Hook hook) {
  static constexpr std::array<std::string_view, kHookCount> kNames{"PREROUTING", "INPUT", "FORWARD",
                                                                   "OUTPUT", "POSTROUTING"};
  return kNames[static_cast<std::size_t>(hook)];
}

std::span<const Stage> stages(Hook hook, Backend backend) {
  switch (hook) {
    case Hook::kPrerouting:
      return kPreroutingStages;
    case Hook::kInput:
      return backend == Backend::kNft ? std::span<const Stage>(kInputNft) : kInputLegacy;
    case Hook::kForward:
      return kForwardStages;
    case Hook::kOutput:
      return kOutputStages;
    case Hook::kPostrouting:
      return kPostroutingStages;
  }
  return {};
}

std::string_view text(Path path) {
  static constexpr std::array<std::string_view, 4> kNames{"in", "out", "forward", "loopback"};
  return kNames[static_cast<std::size_t>(path)];
}

std::span<const Hook> hooks(Path path) {
  switch (path) {
    case Path::kIn:
      return kInHooks;
    case Path::kOut:
      return kOutHooks;
    case Path::kForward:
      return kForwardHooks;
    case Path::kLoopback:
      return kLoopbackHooks;
  }
  return {};
}

Path reverse(Path path) {
  if (path == Path::kIn) return Path::kOut;
  if (path == Path::kOut) return Path::kIn;
  return path;
}

}  // namespace postern
