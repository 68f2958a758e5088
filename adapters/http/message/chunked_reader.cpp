#include "message/chunked_reader.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "message/fields.h"

namespace infer::http {
namespace {

/// A size of 15 digits exceeds every limit and still fits in 64 bits.
constexpr std::size_t kSizeDigits = 15;

/// Whether `text` is *( ";" name [ "=" value ] ), where a value is a token or a quoted string.
bool are_extensions(std::string_view text) {
  while (!text.empty()) {
    if (text.front() != ';') return false;
    text.remove_prefix(1);
    const std::size_t name_end = std::min(text.find_first_of(";="), text.size());
    if (!is_token(text.substr(0, name_end))) return false;
    text.remove_prefix(name_end);
    if (!text.starts_with('=')) continue;
    text.remove_prefix(1);
    if (!text.starts_with('"')) {
      const std::size_t value_end = std::min(text.find(';'), text.size());
      if (!is_token(text.substr(0, value_end))) return false;
      text.remove_prefix(value_end);
      continue;
    }
    std::size_t at = 1;
    for (; at < text.size() && text[at] != '"'; ++at) {
      if (text[at] == '\\') ++at;
      if (at == text.size() || static_cast<unsigned char>(text[at]) < ' ' || text[at] == 0x7F) return false;
    }
    if (at == text.size()) return false;
    text.remove_prefix(at + 1);
  }
  return true;
}

}  // namespace

void ChunkedReader::break_off(std::string why) {
  state_ = State::kBroken;
  error_ = std::move(why);
}

std::string_view ChunkedReader::next(std::string_view& text) {
  while (!text.empty() && state_ != State::kComplete && state_ != State::kBroken) {
    if (state_ != State::kData) {
      take_line(text);
      continue;
    }
    const std::string_view data = text.substr(0, left_);
    text.remove_prefix(data.size());
    left_ -= data.size();
    if (left_ == 0) state_ = State::kDataEnd;
    return data;
  }
  return {};
}

/// Takes bytes up to the end of the line, or all bytes if the line is incomplete.
void ChunkedReader::take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view part = text.substr(0, end == std::string_view::npos ? end : end + 1);
  const std::size_t plain = state_ == State::kSize ? kSizeDigits + 2 : 2;
  if (extra_ + line_.size() + part.size() > kMaxExtra + plain)
    return break_off("chunk extensions and trailers exceed " + std::to_string(kMaxExtra) + " bytes");
  line_ += part;
  text.remove_prefix(part.size());
  if (end != std::string_view::npos) end_line();
}

void ChunkedReader::end_line() {
  const std::string_view line(line_);
  if (!line.ends_with("\r\n")) return break_off("a line of the chunked body does not end with CR LF");
  switch (state_) {
    case State::kSize:
      return read_size();
    case State::kDataEnd:
      if (line.size() != 2) return break_off("a chunk is longer than its size");
      state_ = State::kSize;
      return line_.clear();
    default: {
      if (line.size() > 2 && !line.ends_with("\r\n\r\n")) return;  // another trailer follows
      std::vector<Field> trailers;
      std::string wrong = parse_fields(line, trailers);
      if (!wrong.empty()) return break_off("trailer: " + wrong);
      if (trailers.size() > kMaxFields)
        return break_off("trailers exceed " + std::to_string(kMaxFields) + " fields");
      state_ = State::kComplete;
    }
  }
}

void ChunkedReader::read_size() {
  const std::string_view line = std::string_view(line_).substr(0, line_.size() - 2);
  const std::size_t digits = std::min(line.find(';'), line.size());
  const auto [stop, error] = std::from_chars(line.data(), line.data() + digits, left_, 16);
  if (digits == 0 || digits > kSizeDigits || error != std::errc() || stop != line.data() + digits) {
    return break_off("chunk size: '" + shown(line.substr(0, digits)) + "' is not 1 to 15 hexadecimal digits");
  }
  if (!are_extensions(line.substr(digits)))
    return break_off("chunk extension: '" + shown(line) + "' is malformed");
  extra_ += line.size() - digits;
  state_ = left_ == 0 ? State::kTrailers : State::kData;
  line_.clear();
}

}  // namespace infer::http
