// The order of hooks and stages, written out again from the measurements (kernel-facts 2, 3).
#include "flow/hooks.hpp"

#include <gtest/gtest.h>

#include <string>

namespace postern {
namespace {

// "defrag raw track mangle nat": tables by name, nat's table as "nat".
std::string order(Hook hook, Backend backend) {
  std::string all;
  for (const Stage& stage : stages(hook, backend)) {
    if (!all.empty()) all += ' ';
    switch (stage.kind) {
      case Stage::Kind::kDefragment:
        all += "defrag";
        break;
      case Stage::Kind::kConntrack:
        all += "track";
        break;
      case Stage::Kind::kConfirm:
        all += "confirm";
        break;
      case Stage::Kind::kTable:
        all += text(stage.table);
        break;
      case Stage::Kind::kNat:
        all += "[" + std::string(text(stage.table)) + "]";
        break;
    }
  }
  return all;
}

TEST(Hooks, StagesStandInTheKernelsOrder) {
  for (const Backend backend : {Backend::kLegacy, Backend::kNft}) {
    EXPECT_EQ(order(Hook::kPrerouting, backend), "defrag raw track mangle [nat]");
    EXPECT_EQ(order(Hook::kForward, backend), "mangle filter security");
    EXPECT_EQ(order(Hook::kOutput, backend), "defrag raw track mangle [nat] filter security");
    EXPECT_EQ(order(Hook::kPostrouting, backend), "mangle [nat] confirm");
  }
}

TEST(Hooks, InputDiffersBetweenTheBackends) {
  EXPECT_EQ(order(Hook::kInput, Backend::kLegacy), "mangle filter security [nat] confirm");
  EXPECT_EQ(order(Hook::kInput, Backend::kNft), "mangle filter [nat] security confirm");
}

std::string order(Path path) {
  std::string all;
  for (const Hook hook : hooks(path))
    all += std::string(all.empty() ? "" : " ") + std::string(text(hook));
  return all;
}

TEST(Hooks, PathsMeetTheirHooksInOrder) {
  EXPECT_EQ(order(Path::kIn), "PREROUTING INPUT");
  EXPECT_EQ(order(Path::kOut), "OUTPUT POSTROUTING");
  EXPECT_EQ(order(Path::kForward), "PREROUTING FORWARD POSTROUTING");
  EXPECT_EQ(order(Path::kLoopback), "OUTPUT POSTROUTING PREROUTING INPUT");
  EXPECT_EQ(text(Path::kIn), "in");
  EXPECT_EQ(text(Path::kOut), "out");
  EXPECT_EQ(text(Path::kForward), "forward");
  EXPECT_EQ(text(Path::kLoopback), "loopback");
}

TEST(Hooks, AnswersTakeThePathBack) {
  EXPECT_EQ(reverse(Path::kIn), Path::kOut);
  EXPECT_EQ(reverse(Path::kOut), Path::kIn);
  EXPECT_EQ(reverse(Path::kForward), Path::kForward);
  EXPECT_EQ(reverse(Path::kLoopback), Path::kLoopback);
}

}  // namespace
}  // namespace postern
