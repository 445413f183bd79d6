#include "symbolic/arrival.hpp"

namespace postern {

MayMust Arrival::of(const Edge& edge) const {
  if (to_ == nullptr) return {kEverything, kEverything};
  Binding there{.sender = FlowEnd::kInitiator,
                .to_host = path_ == Path::kIn || path_ == Path::kLoopback};
  if (edge.through != 0) {
    there.nat = variants_[edge.through - 1];
    // Its entry is another flow's.
    if (edge.of == Edge::Of::kRelated || edge.of == Edge::Of::kReopened)
      return {kEverything, kNothing};
  }
  return reader_.read_once(*to_, there);
}

}  // namespace postern
