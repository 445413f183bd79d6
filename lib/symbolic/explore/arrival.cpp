#include "symbolic/explore/arrival.hpp"

namespace postern {

MayMust Arrival::of(const Edge& edge) const {
  // Its entry is another flow's, or it is a flow to itself, whose ends are one.
  const bool related = edge.of == Edge::Of::kRelated, reopened = edge.of == Edge::Of::kReopened;
  const bool open = (edge.through != 0 && related) || edge.sender == FlowEnd::kResponder;
  if (to_ != nullptr && open) return {kEverything, kNothing};
  // The end to which that binding leads has opened the entry, from any port.
  if (to_ != nullptr && reopened && edge.through != 0) {
    const bool port = tests_field(*to_, Field::kDestinationPort);
    return {port ? Set{kEverything} : under(edge.through).may, kNothing};
  }
  return under(edge.through);
}

MayMust Arrival::under(std::uint16_t nat) const {
  if (to_ == nullptr) return {kEverything, kEverything};
  Binding there{.sender = FlowEnd::kInitiator,
                .to_host = path_ == Path::kIn || path_ == Path::kLoopback};
  if (nat != 0) there.nat = variants_[nat - 1];
  return reader_.read_once(*to_, there);
}

Set Arrival::anyhow() const {
  Set result = under(0).may;
  for (std::size_t i = 0; to_ != nullptr && i < variants_.size(); ++i) {
    result = space_.bdd().either(result, under(static_cast<std::uint16_t>(i + 1)).may);
  }
  return result;
}

}  // namespace postern
