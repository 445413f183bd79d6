// nlohmann checks the syntax and builds the values; SpanScanner then walks the same, now known to
// be valid, text once more and notes where each value stands. No recursion: nesting is an explicit
// stack.
#include "scenario/json_document.hpp"

#include <algorithm>
#include <charconv>

namespace postern {
namespace {

using Json = nlohmann::json;

Diagnostic error_at(Span span, std::string code, std::string message, std::string help = {}) {
  return {Severity::kError, std::move(code), span, std::move(message), std::move(help), {}};
}

}  // namespace

// REQUIRES: `text` is valid JSON.
class SpanScanner {
 public:
  SpanScanner(std::string_view text, JsonDocument& document, Diagnostics& errors)
      : text_(text), document_(document), errors_(errors) {}

  void run() {
    begin_value();
    while (!open_.empty()) {
      skip_blanks();
      const char c = text_[at_];
      if (c == '}' || c == ']') {
        close();
      } else if (c == ',') {
        ++at_;
      } else if (open_.back().object) {
        begin_member();
      } else {
        name_ = std::to_string(open_.back().count++);
        begin_value();
      }
    }
  }

 private:
  struct Open {
    std::string pointer;
    std::size_t begin = 0;
    std::size_t count = 0;
    bool object = false;
  };

  Span span(std::size_t begin) const {
    return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at_)};
  }
  std::string pointer() const {
    return open_.empty() ? std::string() : pointer_to(open_.back().pointer, name_);
  }
  void skip_blanks() {
    while (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')
      ++at_;
  }
  void skip_string() {
    for (++at_; text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    ++at_;
  }

  void begin_member() {
    const std::size_t begin = at_;
    skip_string();
    const Span key = span(begin);
    const std::string_view quoted = text_.substr(begin, at_ - begin);
    name_ = quoted.find('\\') == std::string_view::npos
                ? std::string(quoted.substr(1, quoted.size() - 2))
                : Json::parse(quoted).get<std::string>();
    if (!document_.keys_.emplace(pointer(), key).second) {
      errors_.push_back(error_at(key, "duplicate-key", "`" + name_ + "` stands here twice"));
    }
    skip_blanks();
    ++at_;  // the colon
    begin_value();
  }

  void begin_value() {
    skip_blanks();
    const std::size_t begin = at_;
    if (text_[at_] == '{' || text_[at_] == '[') {
      open_.push_back({pointer(), begin, 0, text_[at_] == '{'});
      ++at_;
      return;
    }
    if (text_[at_] == '"') {
      skip_string();
    } else {
      while (at_ < text_.size() &&
             std::string_view(",]} \t\r\n").find(text_[at_]) == std::string_view::npos) {
        ++at_;
      }
    }
    document_.values_[pointer()] = span(begin);
  }

  void close() {
    ++at_;
    document_.values_[open_.back().pointer] = span(open_.back().begin);
    open_.pop_back();
  }

  std::string_view text_;
  JsonDocument& document_;
  Diagnostics& errors_;
  std::vector<Open> open_;
  std::string name_;  // of the member or item that comes next
  std::size_t at_ = 0;
};

Result<JsonDocument> JsonDocument::parse(const SourceFile& source) {
  JsonDocument document;
  try {
    document.root_ = Json::parse(source.text());
  } catch (const Json::parse_error& error) {
    const auto size = static_cast<std::uint32_t>(source.text().size());
    const auto at =
        std::min(error.byte == 0 ? 0 : static_cast<std::uint32_t>(error.byte - 1), size);
    std::string message = error.what();
    if (const auto cut = message.find("syntax error"); cut != std::string::npos) {
      message = message.substr(cut);
    }
    return tl::unexpected(Diagnostics{error_at({at, std::min(at + 1, size)}, "json", message)});
  } catch (const Json::exception& error) {
    return tl::unexpected(Diagnostics{error_at({0, 0}, "json", error.what())});
  }
  Diagnostics errors;
  SpanScanner(source.text(), document, errors).run();
  if (!errors.empty()) return tl::unexpected(std::move(errors));
  return document;
}

Span JsonDocument::value_span(const std::string& pointer) const {
  const auto found = values_.find(pointer);
  return found == values_.end() ? Span{} : found->second;
}

Span JsonDocument::key_span(const std::string& pointer) const {
  const auto found = keys_.find(pointer);
  return found == keys_.end() ? value_span(pointer) : found->second;
}

std::string pointer_to(const std::string& pointer, std::string_view key) {
  std::string result = pointer + "/";
  for (char c : key) {
    if (c == '~') {
      result += "~0";
    } else if (c == '/') {
      result += "~1";
    } else {
      result += c;
    }
  }
  return result;
}

void JsonContext::complain(const std::string& pointer, std::string code, std::string message,
                           std::string help) {
  errors.push_back(
      error_at(document.value_span(pointer), std::move(code), std::move(message), std::move(help)));
}

ObjectReader::ObjectReader(JsonContext& context, std::string pointer)
    : context_(&context), pointer_(std::move(pointer)) {
  const Json& value = context.document.root().at(Json::json_pointer(pointer_));
  if (value.is_object()) {
    object_ = &value;
  } else {
    context.complain(pointer_, "value", "an object {…} is needed here");
  }
}

void ObjectReader::allow_only(std::initializer_list<std::string_view> keys) const {
  if (object_ == nullptr) return;
  for (const auto& item : object_->items()) {
    const std::string& key = item.key();
    if (key == "comment" || key == "description" || key == "note") continue;
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
    std::string known;
    for (std::string_view word : keys) known += (known.empty() ? "" : ", ") + std::string(word);
    context_->errors.push_back(error_at(context_->document.key_span(at(key)), "unknown-key",
                                        "`" + key + "` is not known here", "known: " + known));
  }
}

const Json* ObjectReader::find(std::string_view key) const {
  if (object_ == nullptr) return nullptr;
  const auto found = object_->find(std::string(key));
  return found == object_->end() || found->is_null() ? nullptr : &*found;
}

void ObjectReader::complain(std::string_view key, std::string message, std::string help) const {
  context_->complain(at(key), "value", std::move(message), std::move(help));
}

std::optional<std::uint64_t> json_number(const Json& value, std::uint64_t max) {
  std::uint64_t number = 0;
  if (value.is_number_unsigned()) {
    number = value.get<std::uint64_t>();
  } else if (value.is_string()) {
    std::string_view text = value.get_ref<const std::string&>();
    const bool hex = text.starts_with("0x") || text.starts_with("0X");
    if (hex) text.remove_prefix(2);
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number, hex ? 16 : 10);
    if (error != std::errc() || stop != end || text.empty()) return std::nullopt;
  } else {
    return std::nullopt;
  }
  if (number > max) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> ObjectReader::number(std::string_view key, std::uint64_t max) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto number = json_number(*value, max);
  if (!number) complain(key, "a number from 0 to " + std::to_string(max) + " is needed here");
  return number;
}

std::optional<bool> ObjectReader::boolean(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  complain(key, "true or false is needed here");
  return std::nullopt;
}

std::optional<std::string> ObjectReader::string(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  complain(key, "a text is needed here");
  return std::nullopt;
}

std::vector<std::string> ObjectReader::items(std::string_view key) const {
  const Json* value = find(key);
  std::vector<std::string> pointers;
  if (value == nullptr) return pointers;
  if (!value->is_array()) {
    complain(key, "a list […] is needed here");
    return pointers;
  }
  for (std::size_t i = 0; i < value->size(); ++i) {
    pointers.push_back(pointer_to(at(key), std::to_string(i)));
  }
  return pointers;
}

}  // namespace postern
