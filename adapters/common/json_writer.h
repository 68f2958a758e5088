#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "utf8.h"

namespace infer::adapter {

/// Writes JSON text, commas included. The caller keeps keys and values in order; nothing is checked but that
/// strings are UTF-8: each byte that is none becomes U+FFFD. Characters that steer a terminal are escaped,
/// though JSON asks that of C0 controls alone: what is written is often printed.
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }

  JsonWriter& key(std::string_view name) {
    comma();
    quote(name);
    text_ += ':';
    fresh_ = true;
    return *this;
  }

  JsonWriter& value(std::string_view string) {
    comma();
    quote(string);
    return *this;
  }
  JsonWriter& value(const char* string) { return value(std::string_view(string)); }
  JsonWriter& value(bool flag) { return raw(flag ? "true" : "false"); }
  JsonWriter& null() { return raw("null"); }

  /// Shortest text that reads back as the same number; NaN and infinity, which JSON lacks, become null.
  template <std::floating_point T>
  JsonWriter& value(T number) {
    if (!std::isfinite(number)) return null();
    return print(number);
  }
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  JsonWriter& value(T number) {
    return print(number);
  }

  JsonWriter& values(std::span<const float> numbers) {
    text_.reserve(text_.size() + numbers.size() * 13 + 2);
    begin_array();
    for (const float number : numbers) value(number);
    return end_array();
  }

  /// Text that is JSON already.
  JsonWriter& raw(std::string_view json) {
    comma();
    text_ += json;
    return *this;
  }

  std::string text() && { return std::move(text_); }
  const std::string& text() const& { return text_; }

 private:
  void comma() {
    if (!fresh_) text_ += ',';
    fresh_ = false;
  }
  JsonWriter& open(char bracket) {
    comma();
    text_ += bracket;
    fresh_ = true;
    return *this;
  }
  JsonWriter& close(char bracket) {
    text_ += bracket;
    fresh_ = false;
    return *this;
  }
  template <class T>
  JsonWriter& print(T number) {
    comma();
    char buffer[32];
    text_.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, number).ptr);
    return *this;
  }
  void quote(std::string_view string) {
    constexpr char kHex[] = "0123456789abcdef";
    text_ += '"';
    while (!string.empty()) {
      const char c = string.front();
      const auto byte = static_cast<unsigned char>(c);
      const std::size_t length = utf8_length(string);  // 0: no character of UTF-8
      if (c == '"' || c == '\\') {
        text_ += '\\';
        text_ += c;
      } else if (length > 0 && steers_display(code_point(string, length))) {
        const char32_t code = code_point(string, length);  // all of them have four digits
        text_ += {'\\', 'u', kHex[code >> 12], kHex[code >> 8 & 15], kHex[code >> 4 & 15], kHex[code & 15]};
      } else if (byte < 0x80) {
        text_ += c;
      } else if (length > 0) {
        text_ += string.substr(0, length);
      } else {
        text_ += "\xEF\xBF\xBD";
      }
      string.remove_prefix(std::max<std::size_t>(1, length));
    }
    text_ += '"';
  }

  std::string text_;
  bool fresh_ = true;
};

}  // namespace infer::adapter
