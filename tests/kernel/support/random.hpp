// A seeded source of small choices, the same on every platform: whatever is drawn from it can be
// drawn again from the seed that a failing test prints. Covered by campaign_test.cpp.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <vector>

namespace postern::kernel {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  bool chance(unsigned percent) { return below(100) < percent; }
  template <class T>
  const T& pick(const std::vector<T>& list) {
    return list[below(list.size())];
  }

 private:
  std::mt19937_64 engine_;
};

// A number from the environment, for tests that run longer or from another seed on request.
inline std::uint64_t setting(const char* name, std::uint64_t standard) {
  const char* text = std::getenv(name);
  return text == nullptr ? standard : std::strtoull(text, nullptr, 10);
}

}  // namespace postern::kernel
