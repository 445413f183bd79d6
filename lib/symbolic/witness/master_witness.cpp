#include "symbolic/witness/master_witness.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "net/protocol.hpp"
#include "symbolic/witness/witness_world.hpp"

namespace postern {
namespace {

Axis address_axis(FlowEnd end) {
  return end == FlowEnd::kInitiator ? Axis::kInitiator : Axis::kResponder;
}
Axis port_axis(FlowEnd end) {
  return end == FlowEnd::kInitiator ? Axis::kInitiatorPort : Axis::kResponderPort;
}

// The announced flow, as the helper is to read it.
struct Announced {
  Address to;
  std::uint16_t port = 0;
  bool unnamed = false;  // the address is left out
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
  return v4 && !flow.unnamed
             ? fmt::format("227 Entering Passive Mode ({})\r\n", six_numbers(flow))
             : fmt::format("229 Entering Extended Passive Mode (|||{}|)\r\n", flow.port);
}

// What the last two packets of the master say (the first of them begins a line, for ftp).
void speak(const Master& master, const Announced& flow, std::vector<FlowStep>& steps) {
  const bool by_client = master.speaker == FlowEnd::kInitiator;
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

class MasterWriter {
 public:
  // The announced flow is bound as `nat` (FlowState::nat).
  MasterWriter(Model& model, Path path, const FlowPoint& flow, FlowEnd sender, std::uint16_t nat,
               bool must)
      : model_(model),
        space_(model.space()),
        flow_(flow),
        to_(other_end(sender)),
        follows_(nat != 0 && model.translations().variants(path)[nat - 1].follows_master()),
        must_(must) {}

  // nullopt: this one cannot be written.
  std::optional<Witness> write(const Master& master) {
    FlowPoint point = choose_flow(space_, master.flows, master.path);
    same_hosts(master, point);
    if (master.helper == Helper::kTftp) copy(port_axis(to_), Axis::kInitiatorPort, point);
    if (!keep_apart(master, point)) return std::nullopt;
    auto steps = take(model_.master_steps(master, flow_set(space_, point), must_));
    if (steps.empty()) return std::nullopt;
    Announced told{{flow_.family, point.value(address_axis(master.speaker))},
                   static_cast<std::uint16_t>(flow_.value(port_axis(to_)))};
    // It may not know the address by which the other one calls it.
    told.unnamed = master.speaker == FlowEnd::kResponder && changed(master.bound.destination);
    speak(master, told, steps);
    Witness made =
        build_witness(space_, model_.entries(), master.path, point, steps, &model_.translations());
    if (made.obstacle) return std::nullopt;
    for (WitnessPacket& packet : made.packets) packet.of_master = true;
    if (master.to_opener() && changed(master.bound.source)) {
      led_to_ = Address{flow_.family, point.value(Axis::kInitiator)};
      if (!model_.translations().range(master.bound.source).address) {
        masquerades_ = point.responder_interface;
      }
    } else {
      led_to_ = made.translated_to;
    }
    return made;
  }

  // What the announced flow needs of the world beside its master's.
  void lead(FlowEnd sender, Witness& witness) const {
    if (!follows_) return;
    if (sender == FlowEnd::kInitiator && led_to_) witness.translated_to = led_to_;
    if (masquerades_.empty()) return;
    give_first_address({flow_.family, flow_.value(address_axis(to_))}, masquerades_, witness.world);
  }

 private:
  bool changed(std::uint8_t number) const {
    return follows_ && number != 0 && !model_.translations().range(number).keeps_address;
  }
  void copy(Axis from, Axis to, FlowPoint& point) const {
    if (point.classes.at(to) == flow_.classes.at(from)) point.values[to] = flow_.value(from);
  }

  // ... where they are of one class, and the master's binding shows them as they are.
  void same_hosts(const Master& master, FlowPoint& point) const {
    const bool back = master.to_opener();
    const Axis opener = address_axis(back ? to_ : other_end(to_));
    const Axis other = address_axis(back ? other_end(to_) : to_);
    if (!back || (!changed(master.bound.destination) && master.helper != Helper::kIrc)) {
      copy(other, Axis::kResponder, point);
    }
    if (!back || !changed(master.bound.source)) return copy(opener, Axis::kInitiator, point);
    somebody_else(flow_.value(opener), flow_.value(other), point);
  }

  // The master's opener is another host than these two, and than its other end.
  void somebody_else(u128 one, u128 two, FlowPoint& point) const {
    const Axis axis = Axis::kInitiator;
    const ValueClass& c = space_.layout(axis).classes->classes[point.classes.at(axis)];
    const DocumentationAddresses known = documentation(flow_.family);
    std::vector<u128> choice{point.value(axis)};
    choice.insert(choice.end(), known.near.begin(), known.near.end());
    choice.insert(choice.end(), known.far.begin(), known.far.end());
    for (const u128 value : choice) {
      if (!c.holds(value) || value == one || value == two ||
          value == point.value(Axis::kResponder)) {
        continue;
      }
      point.values[axis] = value;
      return;
    }
  }

  // A master is another flow than the one that it announces.
  bool keep_apart(const Master& master, FlowPoint& point) const {
    const Axis to = port_axis(to_), from = port_axis(other_end(to_));
    const bool back = master.to_opener();
    const auto same = [&](Axis own, Axis of) { return point.value(own) == flow_.value(of); };
    if (!same(Axis::kInitiatorPort, back ? to : from) ||
        !same(Axis::kResponderPort, back ? from : to)) {
      return true;
    }
    return (master.helper != Helper::kTftp && change(Axis::kInitiatorPort, point)) ||
           change(Axis::kResponderPort, point);
  }
  bool change(Axis axis, FlowPoint& point) const {
    const ValueClass& c = space_.layout(axis).classes->classes[point.classes.at(axis)];
    for (const u128 value : {point.value(axis) + 1, point.value(axis) - 1}) {
      if (value == 0 || !c.holds(value)) continue;
      point.values[axis] = value;
      return true;
    }
    return false;
  }

  Model& model_;
  Space& space_;
  const FlowPoint& flow_;
  FlowEnd to_;
  bool follows_;
  bool must_;
  std::optional<Address> led_to_;
  std::string masquerades_;  // the device whose address the announced flow goes to
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
  const FlowEnd sender = reply ? FlowEnd::kResponder : FlowEnd::kInitiator;
  const Set goal = flow_set(model.space(), flow);
  for (const Master& master : take(model.masters(path, goal, at->step))) {
    MasterWriter writer(model, path, flow, sender, at->step.nat, must);
    auto made = writer.write(master);
    if (!made) continue;
    // An expectation does not live as long as many entries: one waits before the master.
    std::swap(made->packets.front().wait_ms, at->wait_ms);
    add_world(made->world, witness.world);
    writer.lead(sender, witness);
    witness.packets.insert(at, made->packets.begin(), made->packets.end());
    return;
  }
  witness.obstacle = "no plain conversation was found in which a helper is told of this flow";
}

}  // namespace postern
