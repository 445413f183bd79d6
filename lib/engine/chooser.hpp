// Where the engine's chance comes from: values of opaque matches and targets. The caller may give
// them ("choices" of a scenario, a witness), and reads back what was chosen.
// Covered by tests/unit/engine_walk_test.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace postern {

// One decision that the ruleset's text does not make. For an opaque match 0 = does not match, 1 =
// matches, 2 = drops the packet (only where the match may); for an opaque target 0 = goes on, 1 =
// accepts, 2 = drops, 3 = returns; for a port or ICMP id that NAT chooses ("source port",
// "destination port") its place in the range; for TPROXY 0 = there is no socket (the packet is
// dropped), 1 = a socket takes the packet.
struct Choice {
  std::string why;            // "limit", "module foo is unknown"
  std::string rule;           // "filter INPUT 3"
  std::uint64_t options = 2;  // values are 0..options-1
  std::uint64_t value = 0;
  std::uint64_t first = 0;  // the number that value 0 stands for (a port range's first port)
  bool socket = false;      // of TPROXY
  bool of_packet = false;   // the same for all evaluations of `why` for one packet
};

class Chooser {
 public:
  virtual ~Chooser() = default;
  // Returns the value, less than `question.options`. Called in the order in which decisions come
  // up.
  virtual std::uint64_t choose(const Choice& question) = 0;
};

// Takes the values of a list, then 0; remembers everything that was asked. A listed value that is
// out of bounds counts as the largest.
class ListChooser : public Chooser {
 public:
  explicit ListChooser(std::vector<std::uint64_t> values = {}) : values_(std::move(values)) {}
  std::uint64_t choose(const Choice& question) override;
  const std::vector<Choice>& made() const { return made_; }

 private:
  std::vector<std::uint64_t> values_;
  std::vector<Choice> made_;
};

}  // namespace postern
