// Two kinds of trouble never mix: bad input travels in a Result (result.hpp); a broken promise of
// our own code is an InternalError, which main turns into exit code 4. Covered by
// tests/unit/vocabulary_test.cpp.
#pragma once

#include <stdexcept>
#include <string>

namespace postern {

// A bug in postern: never thrown for anything that a user can put into a file.
class InternalError : public std::logic_error {
 public:
  explicit InternalError(const std::string& what) : std::logic_error(what) {}
};

}  // namespace postern

// Throws InternalError when `condition` is false; `message` says which promise was broken.
#define POSTERN_CHECK(condition, message)                                                         \
  do {                                                                                            \
    if (!(condition)) throw ::postern::InternalError(std::string(message) + " [" #condition "]"); \
  } while (false)
