// The certificate of a `connect` that cannot be held: every history of the conversation's script is
// one formula, and none has a solution. Covered by tests/unit/certificate_test.cpp.
#pragma once

#include "symbolic/proof/certificate_context.hpp"

namespace postern {

CertificateResult certify_connect(CertificateContext& context, const Claim& claim);

}  // namespace postern
