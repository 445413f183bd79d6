// `-m comment`: a remark; always true (xt_comment).
#include "vocabulary/descriptor.hpp"

namespace postern::match {

extern const Match comment;
const Match comment{
    .name = "comment",
    .options = {{.name = "--comment", .type = ValueType::kText, .required = true}},
    .meaning = [](const Arguments&) { return MatchMeaning{constant(true)}; },
};

}  // namespace postern::match
