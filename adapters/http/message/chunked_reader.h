#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace infer::http {

/// Decodes a chunked body (RFC 9112, section 7.1) as its bytes arrive. Sizes must be hexadecimal digits
/// only. Extensions and trailers must be well-formed, are limited in total size, and are dropped.
class ChunkedReader {
 public:
  /// Returns the next part of the content in `text`, and removes the bytes that it read from `text`. Empty
  /// at the end, and when more bytes are needed.
  std::string_view next(std::string_view& text);

  bool complete() const noexcept { return state_ == State::kComplete; }
  /// Returns what is wrong, or "" without an error.
  const std::string& error() const noexcept { return error_; }

  /// Maximum size of the extensions and trailers of a body, in bytes.
  static constexpr std::size_t kMaxExtra = 8192;

 private:
  enum class State { kSize, kData, kDataEnd, kTrailers, kComplete, kBroken };

  void take_line(std::string_view& text);
  void end_line();
  void read_size();
  void break_off(std::string why);

  State state_ = State::kSize;
  std::size_t left_ = 0;   ///< Bytes left of the chunk.
  std::size_t extra_ = 0;  ///< Bytes of extensions and trailers so far.
  std::string line_;       ///< The current line as far as received; all lines of the trailers.
  std::string error_;
};

}  // namespace infer::http
