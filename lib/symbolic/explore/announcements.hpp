// Which flows helpers may announce: what the masters of one path may say, and to whom.
//
// Idea: a helper reads packets of flows that a CT rule gave it to, at the end of their way. So the
// masters are found by the same exploration as any flow, NAT followed, with both ends free from the
// beginning, among the flows whose opener's packets may carry such a template; an edge that
// delivers a packet in a state in which the helper reads is an announcement. A master is named by
// its opener, as the initiator of its path, and by the pair of zones that the template gave it:
// what it announces is expected from packets of that zone's id. That is named by its own ends:
//
//   ftp   between the ends of the master, from any port to any, to the end that spoke
//   tftp  between the ends of the master, to the port from which it was opened
//   irc   from anywhere to the end that opened the master, which is the one that spoke
//
// Under NAT these are the ends as the other one sees them, and the announced flow is bound with its
// master (following.cpp); where NAT changed nothing, the flow comes to the rules as any other.
// Invariants: `may` holds every flow that any helper may announce, unless it is in `unmodelled`;
// `must` rests on honest conversations that surely get through. Sources: engine/helper.cpp has the
// same rules for packets. Covered by tests/unit/expected_flows_test.cpp, expected_nat_test.cpp and
// tests/agreement/adversary_test.cpp.
#pragma once

#include <functional>
#include <map>
#include <tuple>
#include <vector>

#include "symbolic/explore/connect.hpp"
#include "symbolic/explore/expected_flows.hpp"
#include "symbolic/explore/model.hpp"

namespace postern {

class Announcements {
 public:
  enum class Certainty : std::uint8_t { kMay, kMust, kUnmodelled };

  explicit Announcements(Model::Impl& model) : model_(model) {}

  // Computed once for each path.
  const ExpectedFlows& of(Path path, Certainty certainty);
  // Conversations that announce `flow` (one flow of the path, whose first packet `sender` sends in
  // that zone, and which is then bound as `nat`), the simplest first.
  std::vector<Master> masters(Path path, Set flow, FlowEnd sender, std::uint16_t zone,
                              std::uint16_t nat);
  // Expectations of any flows, in every zone.
  ExpectedFlows of_anything() const;
  // The packets of a master for one flow, whose last ones are those that count.
  std::vector<FlowStep> steps(const Master& master, Set flow, bool must);

 private:
  struct Heard {
    std::vector<Master> masters;
    // Flows to themselves, which conntrack takes for their own answer, and those that met what is
    // not modelled: whatever they say may be read.
    Set own = kNothing, open = kNothing;
  };
  // A helper, and the pair of zones in which masters get it.
  struct Kind {
    Helper helper;
    std::uint8_t pair;
    auto operator<=>(const Kind&) const = default;
  };
  // Told of announced flows by the path of their first packets, whose sender is the initiator.
  // `how`: null where they come to the rules of nat.
  using Listener = std::function<void(Path, Set, const Following* how)>;

  const Heard& heard(Path path, Kind kind, bool must);
  Set of_protocol(Helper helper);
  Set protocols();
  std::vector<Kind> kinds() const;
  std::uint16_t zone(const Kind& kind) const;
  Heard search(Path path, Kind kind);
  Heard rehearse(Path path, Kind kind);
  std::vector<Line> script(Kind kind, FlowEnd speaker);
  Set opening(Path path, Kind kind, bool must);

  Set only(Set flows, const std::vector<Axis>& kept);
  Set swapped(Set flows);
  Set within(Axis axis, std::uint8_t range, bool surely);
  std::vector<Path> ways(const Master& master) const;
  std::vector<Axis> kept(const Master& master, bool follows, bool must) const;
  Set shape(const Master& master, Set flows, bool follows, bool must);
  Set to_nobody();
  Set changed(const Master& master);
  bool may_clash(Helper helper);
  bool alike(Path one, Path other) const;
  bool leads(Path way, Path path, FlowEnd sender, bool straight) const;
  bool concerns(const Master& master, Path path) const;
  void tell(const Master& master, bool must, const Listener& listener);
  void announced(Path path, bool must, ExpectedFlows& result);
  void unmodelled(Path path, ExpectedFlows& result);
  void elsewhere(ExpectedFlows& result);
  void find(const Master& master, Path path, Set flow, FlowEnd sender, std::uint16_t nat,
            bool by_its_wires, std::vector<Master>& found);

  Model::Impl& model_;
  std::map<std::tuple<Path, Kind, bool>, Heard> heard_;
  std::map<std::pair<Path, Certainty>, ExpectedFlows> known_;
};

}  // namespace postern
