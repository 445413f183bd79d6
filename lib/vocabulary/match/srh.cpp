// `-m srh`: IPv6 segment routing header (ip6t_srh). Extension headers are not modelled.
#include "vocabulary/build.hpp"

namespace postern::match {

extern const Match srh;
const Match srh{
    .name = "srh",
    .families = {Family::kIpv6},
    .options =
        {{.name = "--srh-next-hdr", .type = ValueType::kUnsigned, .invertible = true, .max = 255},
         {.name = "--srh-hdr-len-eq", .type = ValueType::kUnsigned, .invertible = true, .max = 255},
         {.name = "--srh-hdr-len-gt", .type = ValueType::kUnsigned, .invertible = true, .max = 255},
         {.name = "--srh-hdr-len-lt", .type = ValueType::kUnsigned, .invertible = true, .max = 255},
         {.name = "--srh-segs-left-eq",
          .type = ValueType::kUnsigned,
          .invertible = true,
          .max = 255},
         {.name = "--srh-segs-left-gt",
          .type = ValueType::kUnsigned,
          .invertible = true,
          .max = 255},
         {.name = "--srh-segs-left-lt",
          .type = ValueType::kUnsigned,
          .invertible = true,
          .max = 255},
         {.name = "--srh-last-entry-eq",
          .type = ValueType::kUnsigned,
          .invertible = true,
          .max = 255},
         {.name = "--srh-last-entry-gt",
          .type = ValueType::kUnsigned,
          .invertible = true,
          .max = 255},
         {.name = "--srh-last-entry-lt",
          .type = ValueType::kUnsigned,
          .invertible = true,
          .max = 255},
         {.name = "--srh-tag", .type = ValueType::kUnsigned, .invertible = true, .max = 65535},
         {.name = "--srh-psid", .type = ValueType::kPrefix, .invertible = true},
         {.name = "--srh-nsid", .type = ValueType::kPrefix, .invertible = true},
         {.name = "--srh-lsid", .type = ValueType::kPrefix, .invertible = true}},
    .meaning = undecided("srh: extension headers are not modelled"),
};

}  // namespace postern::match
