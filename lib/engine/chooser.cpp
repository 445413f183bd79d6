#include "engine/chooser.hpp"

#include <algorithm>

namespace postern {

std::uint64_t ListChooser::choose(const Choice& question) {
  Choice answer = question;
  answer.value =
      made_.size() < values_.size() ? std::min(values_[made_.size()], question.options - 1) : 0;
  made_.push_back(answer);
  return answer.value;
}

}  // namespace postern
