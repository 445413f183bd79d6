// A validator for the part of JSON Schema that docs/schema/ uses: type, required, properties,
// additionalProperties, items, enum, const, minimum, maximum, minItems, maxItems, oneOf, $ref.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace postern::test {

// What is wrong with `value`, each with its place ("/answers/0/path: ..."); empty: it is valid. A
// keyword that is not listed above throws.
std::vector<std::string> schema_errors(const nlohmann::json& value, const nlohmann::json& schema);

}  // namespace postern::test
