#include "ir/builtin_options.hpp"

namespace postern {

std::span<const BuiltinOption> builtin_options() {
  using enum Builtin;
  static constexpr BuiltinOption kOptions[] = {
      {'A', {"--append"}, kCommand, 1},
      {'I', {"--insert"}, kCommand, 1},
      {'N', {"--new-chain"}, kCommand, 1},
      {'P', {"--policy"}, kCommand, 2},
      {'D', {"--delete"}, kForeignCommand, 1},
      {'R', {"--replace"}, kForeignCommand, 1},
      {'C', {"--check"}, kForeignCommand, 1},
      {'L', {"--list"}, kForeignCommand, 0},
      {'S', {"--list-rules"}, kForeignCommand, 0},
      {'F', {"--flush"}, kForeignCommand, 0},
      {'Z', {"--zero"}, kForeignCommand, 0},
      {'X', {"--delete-chain"}, kForeignCommand, 0},
      {'E', {"--rename-chain"}, kForeignCommand, 2},
      {'s', {"--source", "--src"}, kSource, 1, true},
      {'d', {"--destination", "--dst"}, kDestination, 1, true},
      {'i', {"--in-interface"}, kInput, 1, true},
      {'o', {"--out-interface"}, kOutput, 1, true},
      {'p', {"--protocol"}, kProtocol, 1, true},
      {'f', {"--fragments"}, kFragment, 0, true},
      {'m', {"--match"}, kMatch, 1},
      {'j', {"--jump"}, kJump, 1},
      {'g', {"--goto"}, kGoto, 1},
      {'c', {"--set-counters"}, kCounters, 1},
      {'4', {"--ipv4"}, kIpv4, 0, true},  // iptables overlooks a ! before it
      {'6', {"--ipv6"}, kIpv6, 0, true},
      {'v', {"--verbose"}, kVerbose, 0},
      {'t', {"--table"}, kTable, 1},
      {'n', {"--numeric"}, kForbidden, 0},
      {'x', {"--exact"}, kForbidden, 0},
      {'w', {"--wait"}, kForbidden, 0},
      {'W', {"--wait-interval"}, kForbidden, 0},
      {'V', {"--version"}, kForbidden, 0},
      {'h', {"--help"}, kForbidden, 0},
      {'\0', {"--line-numbers"}, kForbidden, 0},
      {'M', {"--modprobe"}, kForbidden, 1},
  };
  return kOptions;
}

}  // namespace postern
