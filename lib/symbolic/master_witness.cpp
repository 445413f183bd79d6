#include "symbolic/master_witness.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "net/protocol.hpp"
#include "symbolic/witness_world.hpp"

namespace postern {
namespace {

Axis address_axis(FlowEnd end) {
  return end == FlowEnd::kInitiator ? Axis::kInitiator : Axis::kResponder;
}
Axis port_axis(FlowEnd end) {
  return end == FlowEnd::kInitiator ? Axis::kInitiatorPort : Axis::kResponderPort;
}

template <class T>
T take(Budgeted<T> value) {
  if (!value) throw value.error();
  return std::move(*value);
}

// The announced flow, as the helper is to read it.
struct Announced {
  Address to;
  std::uint16_t port = 0;
};

std::string six_numbers(const Announced& flow) {
  std::string words = flow.to.text();
  std::ranges::replace(words, '.', ',');
  return fmt::format("{},{},{}", words, flow.port >> 8, flow.port & 0xff);
}

std::string ftp_line(const Announced& flow, bool by_client) {
  const bool v4 = flow.to.family == Family::kIpv4;
  if (by_client) {
    return v4 ? fmt::format("PORT {}\r\n", six_numbers(flow))
              : fmt::format("EPRT |2|{}|{}|\r\n", flow.to.text(), flow.port);
  }
  return v4 ? fmt::format("227 Entering Passive Mode ({})\r\n", six_numbers(flow))
            : fmt::format("229 Entering Extended Passive Mode (|||{}|)\r\n", flow.port);
}

// What the last two packets of the master say (the first of them begins a line, for ftp).
void speak(const Master& master, const Announced& flow, std::vector<FlowStep>& steps) {
  const bool by_client = master.speaker == master.opener;
  std::string& last = steps.back().payload;
  switch (master.helper) {
    case Helper::kFtp:
      steps[steps.size() - 2].payload = by_client ? "USER ftp\r\n" : "220 ready\r\n";
      last = ftp_line(flow, by_client);
      break;
    case Helper::kTftp:
      last = std::string("\0\1file\0octet\0", 13);
      break;
    case Helper::kIrc:
      steps[steps.size() - 2].payload = "NICK ann\r\n";
      last = fmt::format("PRIVMSG bob :\001DCC SEND file {} {} 99\001\r\n",
                         static_cast<std::uint32_t>(flow.to.value), flow.port);
      break;
    case Helper::kNone:
      break;
  }
}

bool contains(const ValueClass& c, u128 value) {
  return std::ranges::any_of(c.intervals,
                             [&](const Interval& i) { return i.lo <= value && value <= i.hi; });
}

class MasterWriter {
 public:
  MasterWriter(Model& model, Path path, const FlowPoint& flow, FlowEnd sender, bool must)
      : model_(model),
        space_(model.space()),
        path_(path),
        flow_(flow),
        to_(other_end(sender)),
        must_(must) {}

  // nullopt: this one cannot be written.
  std::optional<Witness> write(const Master& master) {
    FlowPoint point = choose_flow(space_, master.flows, master.path);
    // The same hosts, where they are of one class.
    for (const FlowEnd end : {FlowEnd::kInitiator, FlowEnd::kResponder}) {
      if (master.path == path_ || end == to_) copy(address_axis(end), point);
    }
    if (master.helper == Helper::kTftp) copy(port_axis(to_), point);
    if (!keep_apart(master, point)) return std::nullopt;
    auto steps = take(model_.master_steps(master, flow_set(space_, point), must_));
    if (steps.empty()) return std::nullopt;
    const Address to{flow_.family, flow_.value(address_axis(to_))};
    speak(master, {to, static_cast<std::uint16_t>(flow_.value(port_axis(to_)))}, steps);
    Witness made = build_witness(space_, model_.entries(), master.path, point, steps);
    if (made.obstacle) return std::nullopt;
    for (WitnessPacket& packet : made.packets) packet.of_master = true;
    return made;
  }

 private:
  void copy(Axis axis, FlowPoint& point) const {
    if (point.classes.at(axis) == flow_.classes.at(axis)) point.values[axis] = flow_.value(axis);
  }

  // A master is another flow than the one that it announces.
  bool keep_apart(const Master& master, FlowPoint& point) const {
    const auto same = [&](Axis axis) { return point.value(axis) == flow_.value(axis); };
    if (master.helper == Helper::kTftp) {
      const Axis other = port_axis(other_end(to_));
      return !same(other) || change(other, point);
    }
    for (const Axis axis : {Axis::kInitiatorPort, Axis::kResponderPort}) {
      if (!same(axis) || change(axis, point)) return true;
    }
    return false;
  }
  bool change(Axis axis, FlowPoint& point) const {
    const ValueClass& c = space_.layout(axis).classes->classes[point.classes.at(axis)];
    for (const u128 value : {point.value(axis) + 1, point.value(axis) - 1}) {
      if (value == 0 || !contains(c, value)) continue;
      point.values[axis] = value;
      return true;
    }
    return false;
  }

  Model& model_;
  Space& space_;
  Path path_;
  const FlowPoint& flow_;
  FlowEnd to_;
  bool must_;
};

}  // namespace

void add_master(Model& model, Path path, const FlowPoint& flow, bool must, Witness& witness) {
  const auto announced = [](const WitnessPacket& p) { return p.step.announced; };
  const auto at = std::ranges::find_if(witness.packets, announced);
  if (at == witness.packets.end() || witness.obstacle) return;
  if (std::count_if(at, witness.packets.end(), announced) > 1) {
    witness.obstacle = "a flow must be announced to a helper more than once";
    return;
  }
  const bool reply = at->step.reply;
  MasterWriter writer(model, path, flow, reply ? FlowEnd::kResponder : FlowEnd::kInitiator, must);
  const Set goal = flow_set(model.space(), flow);
  for (const Master& master : take(model.masters(path, goal, reply, must))) {
    auto made = writer.write(master);
    if (!made) continue;
    // An expectation does not live as long as many entries: one waits before the master.
    std::swap(made->packets.front().wait_ms, at->wait_ms);
    add_world(made->world, witness.world);
    witness.packets.insert(at, made->packets.begin(), made->packets.end());
    return;
  }
  witness.obstacle = "no plain conversation was found in which a helper is told of this flow";
}

}  // namespace postern
