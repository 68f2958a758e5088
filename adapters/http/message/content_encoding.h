#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace infer::http {

/// The first of gzip and deflate that an Accept-Encoding header lets us use; empty for neither.
std::string_view accepted_encoding(std::string_view accept);

/// The parts, one behind the other, compressed; `encoding` is gzip or deflate. Nothing when memory is out.
std::optional<std::string> compress(std::string_view encoding, std::span<const std::string_view> parts);

enum class Coding { kIdentity, kGzip, kDeflate };

/// The coding that a Content-Encoding header names, in any case of letters; nothing for one that is unknown.
std::optional<Coding> parse_coding(std::string_view name);

/// Unpacks a body as its bytes come. A body in gzip may have several members, as RFC 1952 says; each ends
/// with its checksum, and nothing follows the last one.
class Inflater {
 public:
  /// Throws `std::bad_alloc`.
  explicit Inflater(Coding coding);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// The next unpacked bytes, valid until the next call; `packed` loses what was read. Empty when more packed
  /// bytes are needed.
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
