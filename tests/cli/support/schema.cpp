#include "cli/support/schema.hpp"

#include <algorithm>
#include <functional>
#include <stdexcept>

namespace postern::test {
namespace {

using nlohmann::json;

bool has_type(const json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "boolean") return value.is_boolean();
  if (type == "null") return value.is_null();
  throw std::logic_error("unknown type " + type);
}

class Validator {
 public:
  explicit Validator(const json& root) : root_(root) {}

  void check(const json& value, const json& schema, const std::string& at) {
    for (const auto& [keyword, wanted] : schema.items()) {
      if (keyword.starts_with("$") && keyword != "$ref") continue;
      if (keyword == "title" || keyword == "description") continue;
      check_keyword(keyword, value, wanted, schema, at);
    }
  }
  std::vector<std::string> errors;

 private:
  void require(bool good, const std::string& at, const std::string& what) {
    if (!good) errors.push_back(at + ": " + what);
  }

  void check_keyword(const std::string& keyword, const json& value, const json& wanted,
                     const json& schema, const std::string& at) {
    if (keyword == "$ref") {
      check(value, root_.at(json::json_pointer(wanted.get<std::string>().substr(1))), at);
    } else if (keyword == "type") {
      const json types = wanted.is_array() ? wanted : json::array({wanted});
      require(std::ranges::any_of(types, [&](const json& t) { return has_type(value, t); }), at,
              "is not " + wanted.dump());
    } else if (keyword == "const") {
      require(value == wanted, at, "is not " + wanted.dump());
    } else if (keyword == "enum") {
      require(std::ranges::find(wanted, value) != wanted.end(), at, "is not in " + wanted.dump());
    } else if (keyword == "minimum") {
      require(!value.is_number() || value >= wanted, at, "is below " + wanted.dump());
    } else if (keyword == "maximum") {
      require(!value.is_number() || value <= wanted, at, "is above " + wanted.dump());
    } else if (keyword == "minItems") {
      require(value.size() >= wanted, at, "has too few items");
    } else if (keyword == "maxItems") {
      require(value.size() <= wanted, at, "has too many items");
    } else {
      check_structure(keyword, value, wanted, schema, at);
    }
  }

  void check_structure(const std::string& keyword, const json& value, const json& wanted,
                       const json& schema, const std::string& at) {
    if (keyword == "required") {
      for (const json& key : wanted) require(value.contains(key), at, "lacks " + key.dump());
    } else if (keyword == "properties") {
      for (const auto& [key, below] : wanted.items()) {
        if (value.is_object() && value.contains(key)) check(value[key], below, at + "/" + key);
      }
    } else if (keyword == "additionalProperties") {
      for (const auto& [key, item] : value.items()) {
        if (!schema.contains("properties") || !schema["properties"].contains(key)) {
          check(item, wanted, at + "/" + key);
        }
      }
    } else if (keyword == "items") {
      for (std::size_t i = 0; value.is_array() && i < value.size(); ++i) {
        check(value[i], wanted, at + "/" + std::to_string(i));
      }
    } else if (keyword == "oneOf") {
      const auto fits = std::ranges::count_if(wanted, [&](const json& one) {
        Validator inner(root_);
        inner.check(value, one, at);
        return inner.errors.empty();
      });
      require(fits == 1, at, "fits " + std::to_string(fits) + " of oneOf");
    } else {
      throw std::logic_error("keyword that this validator does not know: " + keyword);
    }
  }

  const json& root_;
};

}  // namespace

std::vector<std::string> schema_errors(const json& value, const json& schema) {
  Validator validator(schema);
  validator.check(value, schema, "");
  return validator.errors;
}

}  // namespace postern::test
