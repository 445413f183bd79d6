#include "symbolic/explore/arrival.hpp"

namespace postern {

MayMust Arrival::of(const Edge& edge) const {
  // Its entry is another flow's, or it is a flow to itself, whose ends are one.
  const bool of_other = edge.of == Edge::Of::kRelated || edge.of == Edge::Of::kReopened;
  const bool open = (edge.through != 0 && of_other) || edge.sender == FlowEnd::kResponder;
  if (to_ != nullptr && open) return {kEverything, kNothing};
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
