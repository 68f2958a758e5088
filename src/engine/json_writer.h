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

namespace infer::inline v0 {

/// Writes JSON text, commas included; every JSON text of the library and its adapters is written by this
/// class. The caller keeps keys and values in order; the class does not check it. Bytes that are not UTF-8
/// become U+FFFD. Characters that control a terminal are escaped, since JSON text is often printed; JSON
/// itself requires that only for C0 controls.
///
/// Text is compact by default. Files that people read and edit get blanks after commas and colons (`spaced`)
/// and lines (`line`).
class JsonWriter {
 public:
  /// Turns blanks after each comma and colon on or off for the text that follows.
  JsonWriter& spaced(bool on = true) {
    spaced_ = on;
    blanks_ = spaced_ || line_ != kNoLine;
    return *this;
  }
  /// Lets the next key, value or closing bracket begin a line with `indent` blanks.
  JsonWriter& line(std::size_t indent) {
    line_ = indent;
    blanks_ = true;
    return *this;
  }

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }

  JsonWriter& key(std::string_view name) {
    comma();
    quote(name);
    text_ += ':';
    if (spaced_) text_ += ' ';
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

  /// Writes the shortest text that reads back as the same number; NaN and infinity, which are not part of
  /// JSON, become null.
  template <std::floating_point T>
  JsonWriter& value(T number) {
    if (!std::isfinite(number)) return null();
    return print(number);
  }
  /// Writes a measured number, which is not known to more than six significant digits.
  JsonWriter& measured(double number) {
    if (!std::isfinite(number)) return null();
    return print(number, std::chars_format::general, 6);
  }
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  JsonWriter& value(T number) {
    return print(number);
  }

  JsonWriter& values(std::span<const float> numbers) {
    text_.reserve(text_.size() + numbers.size() * 13 + 2);
    return list(numbers);
  }
  /// Writes a list of strings or numbers.
  template <class List>
  JsonWriter& list(const List& items) {
    begin_array();
    for (const auto& item : items) value(item);
    return end_array();
  }

  /// Writes text that is JSON already.
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
    if (blanks_) blank();
    fresh_ = false;
  }
  void blank() {
    if (line_ != kNoLine) return begin_line();
    if (!fresh_) text_ += ' ';
  }
  void begin_line() {
    text_ += '\n';
    text_.append(line_, ' ');
    line_ = kNoLine;
    blanks_ = spaced_;
  }
  JsonWriter& open(char bracket) {
    comma();
    text_ += bracket;
    fresh_ = true;
    return *this;
  }
  JsonWriter& close(char bracket) {
    if (line_ != kNoLine) begin_line();
    text_ += bracket;
    fresh_ = false;
    return *this;
  }
  template <class T, class... Format>
  JsonWriter& print(T number, Format... format) {
    comma();
    char buffer[32];
    text_.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, number, format...).ptr);
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
        const char32_t code = code_point(string, length);  // such characters are below U+10000
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

  static constexpr std::size_t kNoLine = static_cast<std::size_t>(-1);

  std::string text_;
  bool fresh_ = true;  ///< True if no comma precedes the next key or value.
  bool spaced_ = false;
  std::size_t line_ = kNoLine;  ///< Indent of the line that begins next.
  bool blanks_ = false;         ///< True if `spaced_` or `line_` asks for blanks.
};

}  // namespace infer::inline v0
