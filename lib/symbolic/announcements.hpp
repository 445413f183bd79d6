// Which flows helpers may announce: what the masters of one path may say, and to whom.
//
// Idea: a helper reads packets of flows that a CT rule gave it to, at the end of their way. So the
// masters are found by the same exploration as any flow, with both ends free from the beginning,
// among the flows whose opener's packets may carry such a template; an edge that delivers a packet
// in a state in which the helper reads is an announcement. The announced flow is named by its own
// ends, as a flow of the question's path:
//
//   ftp   between the ends of the master, from any port to any, to the end that spoke
//   tftp  between the ends of the master, to the port from which it was opened
//   irc   from anywhere to the end that opened the master, which is the one that spoke
//
// Invariants: `may` holds every flow that any helper may announce, unless it is in `unmodelled`;
// `must` rests on honest conversations that surely get through. Where NAT may meet a helper nothing
// is followed: all is unmodelled. Sources: engine/helper.cpp has the same rules for packets.
// Covered by tests/unit/expected_flows_test.cpp and tests/agreement/adversary_test.cpp.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "symbolic/connect.hpp"
#include "symbolic/expected_flows.hpp"
#include "symbolic/model.hpp"

namespace postern {

class Announcements {
 public:
  enum class Certainty : std::uint8_t { kMay, kMust, kUnmodelled };

  explicit Announcements(Model::Impl& model) : model_(model) {}

  // Computed once for each path.
  const ExpectedFlows& of(Path path, Certainty certainty);
  // Conversations that announce `flow` (one flow of the path, whose first packet `sender` sends),
  // the simplest first.
  std::vector<Master> masters(Path path, Set flow, FlowEnd sender, bool must);
  // The packets of a master for one flow, whose last ones are those that count.
  std::vector<FlowStep> steps(const Master& master, Set flow, bool must);

 private:
  // Flows of a path that make a helper announce something, by opener and speaker.
  using Said = std::array<std::array<Set, 2>, 2>;
  struct Heard {
    std::map<Helper, Said> said;
  };
  const Heard& heard(Path path, Certainty certainty);
  Set given(Path path, Helper helper, FlowEnd opener, bool must);
  Set of_protocol(Helper helper);
  void search(Path path, Helper helper, Said& may, Said& unmodelled);
  Said rehearse(Path path, Helper helper);
  std::vector<Line> script(Helper helper, FlowEnd opener, FlowEnd speaker);
  Set opening(Path path, Helper helper, FlowEnd opener, bool must);
  Set only(Set flows, std::initializer_list<Axis> kept);
  ExpectedFlows announced(Path path, Certainty certainty);

  Model::Impl& model_;
  std::map<std::pair<Path, Certainty>, Heard> heard_;
  std::map<std::pair<Path, Certainty>, ExpectedFlows> known_;
};

}  // namespace postern
