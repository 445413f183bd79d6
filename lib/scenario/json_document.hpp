// JSON that knows where each of its values stands in the text, and typed access to its objects that
// collects every complaint instead of stopping at the first. Internal to lib/scenario.
// Covered by tests/unit/scenario_read_test.cpp.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "net/address.hpp"
#include "text/diagnostic.hpp"

namespace postern {

// Spans are kept by JSON pointer (RFC 6901): "/packets/0/src".
class JsonDocument {
 public:
  // Errors: a syntax error with its place; a key that stands twice in one object.
  static Result<JsonDocument> parse(const SourceFile& source);

  const nlohmann::json& root() const { return root_; }
  Span value_span(const std::string& pointer) const;
  Span key_span(const std::string& pointer) const;  // of a member's name; else of the value

 private:
  friend class SpanScanner;
  nlohmann::json root_;
  std::unordered_map<std::string, Span> values_, keys_;
};

// pointer + "/" + key, escaped.
std::string pointer_to(const std::string& pointer, std::string_view key);

// Where complaints go while a document is read.
struct JsonContext {
  const JsonDocument& document;
  Diagnostics errors;

  void complain(const std::string& pointer, std::string code, std::string message,
                std::string help = {});
};

// One object of the document. Every getter returns nullopt when the key is absent or null, and also
// after a complaint about a value of the wrong kind or out of range.
class ObjectReader {
 public:
  ObjectReader(JsonContext& context, std::string pointer);

  // Complains about a value that is no object; then no getter finds anything.
  bool valid() const { return object_ != nullptr; }
  // Complains about every key that is not listed (comment, description and note are always
  // allowed).
  void allow_only(std::initializer_list<std::string_view> keys) const;
  bool has(std::string_view key) const { return find(key) != nullptr; }
  std::string at(std::string_view key) const { return pointer_to(pointer_, key); }
  const std::string& pointer() const { return pointer_; }
  const nlohmann::json* find(std::string_view key) const;  // nullptr when absent or null
  JsonContext& context() const { return *context_; }
  void complain(std::string_view key, std::string message, std::string help = {}) const;

  // Decimal, or a string that holds a decimal or 0x number; at most `max`.
  std::optional<std::uint64_t> number(std::string_view key, std::uint64_t max) const;
  std::optional<bool> boolean(std::string_view key) const;
  std::optional<std::string> string(std::string_view key) const;
  std::optional<Address> address(std::string_view key) const;
  // The pointers of a list's items.
  std::vector<std::string> items(std::string_view key) const;

  template <class T>
  void number_into(std::string_view key, T& to) const {
    if (auto value = number(key, std::numeric_limits<T>::max())) to = static_cast<T>(*value);
  }
  void boolean_into(std::string_view key, bool& to) const {
    if (auto value = boolean(key)) to = *value;
  }

 private:
  JsonContext* context_;
  std::string pointer_;
  const nlohmann::json* object_ = nullptr;
};

// A number, or a string that holds one ("0x10"); nullopt when it is neither or above `max`.
std::optional<std::uint64_t> json_number(const nlohmann::json& value, std::uint64_t max);

}  // namespace postern
