// `-m helper`: whether a conntrack helper of that name expected the connection (xt_helper). Only an
// entry that was expected can match; which helper expected it is not modelled.
#include "vocabulary/build.hpp"

namespace postern::match {
namespace {

tl::expected<MatchMeaning, Complaint> meaning(const Arguments& arguments) {
  const std::string& name = *arguments.get<std::string>("--helper");
  const PredicatePtr by_it =
      name.empty() ? constant(true) : opaque("helper: which helper expected the connection");
  return MatchMeaning{
      negate_if(arguments.inverted("--helper"),
                all({has_entry(), any_bit(Field::kCtStatus, ct_status::kExpected), by_it}))};
}

}  // namespace

extern const Match helper;
const Match helper{
    .name = "helper",
    .options =
        {{.name = "--helper", .type = ValueType::kText, .invertible = true, .required = true}},
    .meaning = meaning,
    .switches_on_tracking = true,
};

}  // namespace postern::match
