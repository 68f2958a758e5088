#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace infer::http {

/// Returns the first of gzip and deflate that an Accept-Encoding header allows, or an empty text.
std::string_view accepted_encoding(std::string_view accept);

/// Compresses the concatenated parts. `encoding` is gzip or deflate. Returns nothing if there is no memory.
std::optional<std::string> compress(std::string_view encoding, std::span<const std::string_view> parts);

enum class Coding { kIdentity, kGzip, kDeflate };

/// Parses a Content-Encoding, ignoring the case of letters. Returns nothing for an unknown encoding.
std::optional<Coding> parse_coding(std::string_view name);

/// Unpacks a body as its bytes arrive. A gzip body may have several members (RFC 1952); each ends with its
/// checksum, and nothing may follow the last one.
class Inflater {
 public:
  /// Throws `std::bad_alloc`.
  explicit Inflater(Coding coding);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Returns the next unpacked bytes, valid until the next call, and removes the bytes that it read from
  /// `packed`. Empty when more packed bytes are needed.
  std::string_view next(std::string_view& packed);
  /// True at the end of a member, and before the first byte.
  bool complete() const noexcept { return ended_ && !broken_; }
  bool broken() const noexcept { return broken_; }

 private:
  struct Stream;
  const Coding coding_;
  const std::unique_ptr<Stream> stream_;
  std::array<char, 16 << 10> buffer_;
  bool ended_ = true;
  bool broken_ = false;
};

}  // namespace infer::http
