// Running without root: a child process that is root in a user namespace of its own, where the
// machine allows that to everyone (and lets them open /dev/net/tun).
// Covered by tests/kernel/harness_test.cpp.
#pragma once

#include <functional>
#include <string>

#include "kernel/system.hpp"

namespace postern::kernel {

// Calls `work` in a child process inside fresh user and network namespaces and hands back the text
// that it returns. The child leaves no trace but that text.
Outcome<std::string> in_user_namespace(const std::function<Outcome<std::string>()>& work);

}  // namespace postern::kernel
