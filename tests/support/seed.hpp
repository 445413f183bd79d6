// The seed of a test that draws: POSTERN_SEED where it is set, else a fresh one, and printed, so
// that what it finds can be found again (`./dev test` repeats the line of a test that failed).
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace postern::test {

inline std::uint64_t from_environment(const char* name, std::uint64_t standard) {
  const char* text = std::getenv(name);
  return text == nullptr ? standard : std::strtoull(text, nullptr, 10);
}

inline std::uint64_t seed_of_run() {
  const std::uint64_t seed = from_environment("POSTERN_SEED", std::random_device{}());
  std::printf("POSTERN_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

}  // namespace postern::test
