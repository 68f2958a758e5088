#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace infer::http {

/// Takes a chunked body (RFC 9112, section 7.1) apart as its bytes come. Sizes are hexadecimal digits alone;
/// extensions and trailers must be well-formed, are bounded together, and are dropped.
class ChunkedReader {
 public:
  /// The next part of the content in `text`, which loses what was read; empty when more bytes are needed, and
  /// at the end.
  std::string_view next(std::string_view& text);

  bool complete() const noexcept { return state_ == State::kComplete; }
  /// What is wrong, "" for nothing.
  const std::string& error() const noexcept { return error_; }

  /// Of extensions and trailers of a body, in bytes.
  static constexpr std::size_t kMaxExtra = 8192;

 private:
  enum class State { kSize, kData, kDataEnd, kTrailers, kComplete, kBroken };

  void take_line(std::string_view& text);
  void end_line();
  void read_size();
  void break_off(std::string why);

  State state_ = State::kSize;
  std::size_t left_ = 0;   ///< Of the chunk.
  std::size_t extra_ = 0;  ///< Bytes of extensions and trailers until now.
  std::string line_;       ///< As far as it has come; of trailers, all of them.
  std::string error_;
};

}  // namespace infer::http
