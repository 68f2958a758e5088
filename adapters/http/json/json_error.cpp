#include "json/json_error.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <utility>

#include "engine/utf8.h"

namespace infer::http {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/// Reads JSON and stops at the first error.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::string error() {
    if (!document()) return place() + what_;
    return {};
  }

 private:
  static constexpr std::size_t kMaxDepth = 1024;  // the limit of simdjson

  bool document() {
    if (text_.starts_with("\xEF\xBB\xBF")) return stop("a byte order mark; send the text without it");
    if (text_.starts_with("\xFF\xFE") || text_.starts_with("\xFE\xFF"))
      return stop("a byte order mark of UTF-16; JSON is sent as UTF-8");
    if (text_.size() > 1 && text_[0] != '\0' && text_[1] == '\0')
      return stop("UTF-16; JSON is sent as UTF-8");
    if (!value(0)) return false;
    blanks();
    return ended() || stop("more text after the end of the value, beginning with " + shown());
  }

  bool value(std::size_t depth) {
    blanks();
    if (depth > kMaxDepth) return stop("lists and objects nest deeper than " + std::to_string(kMaxDepth));
    if (ended()) return stop("the text ends where a value is expected");
    switch (text_[at_]) {
      case '{':
        return list(depth, '}');
      case '[':
        return list(depth, ']');
      case '"':
        return string();
      default:
        break;
    }
    if (text_[at_] == '-' || is_digit(text_[at_])) return number();
    for (const std::string_view word : {"true", "false", "null"}) {
      if (!text_.substr(at_).starts_with(word)) continue;
      const std::size_t next = at_ + word.size();
      if (next < text_.size() && (is_letter(text_[next]) || is_digit(text_[next]))) break;
      at_ = next;
      return true;
    }
    return stop(shown() + " where a value is expected");
  }

  /// Reads an object or a list up to its closing bracket.
  bool list(std::size_t depth, char bracket) {
    const std::size_t begin = at_++;
    const char* const what = bracket == '}' ? "object" : "list";
    blanks();
    if (take(bracket)) return true;
    while (true) {
      if (bracket == '}' && !key()) return false;
      if (!value(depth + 1)) return false;
      blanks();
      if (take(bracket)) return true;
      if (ended())
        return stop(std::string("the text ends within the ") + what + " that begins at " + place(begin));
      const std::size_t comma = at_;
      if (!take(',')) return stop(shown() + " where a comma or " + bracket + " is expected");
      blanks();
      if (ended() || text_[at_] != bracket) continue;
      at_ = comma;
      return stop(std::string("a comma before ") + bracket);
    }
  }

  bool key() {
    blanks();
    if (ended()) return stop("the text ends where a key is expected");
    if (text_[at_] != '"') return stop(shown() + " where a key in double quotes is expected");
    if (!string()) return false;
    blanks();
    if (take(':')) return true;
    return stop(ended() ? "the text ends where a colon is expected" : shown() + " where a colon is expected");
  }

  bool string() {
    const std::size_t begin = at_++;
    while (!ended()) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return true;
      }
      if (static_cast<unsigned char>(c) < 0x20)
        return stop(shown() + " within a string; write it as an escape");
      if (c == '\\') {
        if (!escape()) return false;
        continue;
      }
      const std::size_t length = utf8_length(text_.substr(at_));
      if (length == 0) return stop(shown() + " within a string, which is not UTF-8");
      at_ += length;
    }
    return stop("the text ends within the string that begins at " + place(begin));
  }

  bool escape() {
    constexpr std::string_view kKnown = "\"\\/bfnrt";
    const std::string_view rest = text_.substr(at_ + 1);
    if (rest.empty()) return at_ = text_.size(), stop("the text ends within a string");
    if (kKnown.find(rest[0]) != std::string_view::npos) return at_ += 2, true;
    std::uint32_t unit = 0;
    if (!code_unit(at_, unit)) return stop("an escape within a string that is not one of JSON");
    const bool first_half = unit >= 0xD800 && unit < 0xDC00;
    std::uint32_t second = 0;
    const bool pair = first_half && code_unit(at_ + 6, second) && second >= 0xDC00 && second < 0xE000;
    if ((first_half && !pair) || (unit >= 0xDC00 && unit < 0xE000))
      return stop("a \\u escape of a surrogate pair without its other half");
    at_ += pair ? 12 : 6;
    return true;
  }

  /// Reads the \uXXXX escape at `at`. Returns false if there is none.
  bool code_unit(std::size_t at, std::uint32_t& unit) const {
    if (text_.size() < at + 6 || text_[at] != '\\' || text_[at + 1] != 'u') return false;
    const std::string_view digits = text_.substr(at + 2, 4);
    return std::all_of(digits.begin(), digits.end(), is_hex) &&
           std::from_chars(digits.data(), digits.data() + 4, unit, 16).ec == std::errc();
  }

  bool number() {
    const std::size_t begin = at_;
    const auto digits = [&] {
      const std::size_t first = at_;
      while (!ended() && is_digit(text_[at_])) ++at_;
      return at_ > first;
    };
    const auto bad = [&](const char* what) { return at_ = begin, stop(what + shown_word()); };
    take('-');
    if (!ended() && is_letter(text_[at_])) return at_ = begin, stop(shown());
    const bool zero = !ended() && text_[at_] == '0';
    const std::size_t whole = at_;
    if (!digits()) return bad("not a number: ");
    if (zero && at_ > whole + 1) return bad("a number with a leading zero: ");
    bool integer = true;
    if (take('.')) {
      integer = false;
      if (!digits()) return bad("a number without digits after its decimal point: ");
    }
    if (!ended() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      integer = false;
      ++at_;
      if (!take('+')) take('-');
      if (!digits()) return bad("a number without digits in its exponent: ");
    }
    if (!ended() && is_letter(text_[at_])) return bad("not a number: ");
    const char* const from = text_.data() + begin;
    const char* const to = text_.data() + at_;
    std::int64_t small = 0;
    std::uint64_t large = 0;
    double real = 0;
    const bool fits = integer ? std::from_chars(from, to, small).ec == std::errc() ||
                                    std::from_chars(from, to, large).ec == std::errc()
                              : std::from_chars(from, to, real).ec == std::errc();
    // A number that is too small to represent becomes zero.
    if (!fits && (integer || std::string_view(from, to).find("e-") == std::string_view::npos))
      return bad("a number that does not fit in 64 bits: ");
    return true;
  }

  void blanks() {
    while (!ended() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
  }
  bool ended() const { return at_ >= text_.size(); }
  bool take(char c) {
    if (ended() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool stop(std::string what) {
    what_ = std::move(what);
    return false;
  }

  std::string shown_word() const {
    std::string_view rest = text_.substr(at_);
    return "'" + std::string(rest.substr(0, std::min<std::size_t>(rest.find_first_of(" \t\r\n,]}"), 24))) +
           "'";
  }

  /// Describes the text at the current place.
  std::string shown() const {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kWords{{
        {"NaN", "NaN (not part of JSON)"},
        {"nan", "nan (not part of JSON)"},
        {"Infinity", "Infinity (not part of JSON)"},
        {"-Infinity", "-Infinity (not part of JSON)"},
        {"inf", "inf (not part of JSON)"},
        {"-inf", "-inf (not part of JSON)"},
        {"True", "True; JSON writes true"},
        {"False", "False; JSON writes false"},
        {"None", "None; JSON writes null"},
        {"undefined", "undefined; JSON writes null"},
        {"//", "a comment (not part of JSON)"},
    }};
    const std::string_view rest = text_.substr(at_);
    for (const auto& [word, words] : kWords) {
      if (rest.starts_with(word)) return std::string(words);
    }
    const char c = rest[0];
    if (c == '\'') return "a single quote instead of a double quote";
    if (rest.starts_with("/*") || c == '#') return "a comment (not part of JSON)";
    if (is_letter(c)) return "the word " + shown_word() + " without quotes";
    if (const std::size_t length = utf8_length(rest); length > 1)
      return "'" + std::string(rest.substr(0, length)) + "'";
    if (c > 0x20 && c < 0x7F) return std::string("'") + c + "'";
    constexpr char kHex[] = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    return std::string("the byte 0x") + kHex[byte >> 4] + kHex[byte & 15];
  }

  std::string place() const { return place(at_) + ": "; }
  std::string place(std::size_t at) const {
    const std::string_view before = text_.substr(0, at);
    const std::size_t line = before.rfind('\n') + 1;  // npos + 1 is 0
    // A column counts characters, not bytes.
    const auto column = std::count_if(before.begin() + static_cast<std::ptrdiff_t>(line), before.end(),
                                      [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
    return "line " + std::to_string(1 + std::count(before.begin(), before.end(), '\n')) + ", column " +
           std::to_string(1 + column);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string what_;
};

}  // namespace

std::string json_error(std::string_view text) { return Scanner(text).error(); }

}  // namespace infer::http
