// Covered by tests/unit/explain_test.cpp.
#include "analyzer/explain.hpp"

#include <algorithm>
#include <cctype>
#include <string>

namespace postern {

const CheckPage* find_check_page(std::string_view what) {
  std::string upper(what);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  for (const CheckPage& page : check_pages()) {
    if (page.id == upper || page.id.substr(3) == what || page.name == what) return &page;
  }
  return nullptr;
}

}  // namespace postern
