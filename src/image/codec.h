#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "bytes.h"
#include "decoding.h"
#include "infer/image/decode.h"

namespace infer::inline v0 {

/// A format of images and how it is read: a row of the table of codecs.
struct ImageCodec {
  ImageFormat about;
  std::string_view magic;  ///< What each file of the format begins with.
  /// Reads the header; the name of the format is filled in by the caller. Errors: `kInvalidArgument`.
  Result<ImageInfo> (*probe)(Bytes bytes);
  /// Decodes into `decoding`, whose image is complete where this succeeds: the colours, whatever is
  /// transparent. A size other than that of its info is an error.
  Result<void> (*decode)(Bytes bytes, Decoding& decoding);
  /// The same laid over a grey background; false where no pixel is transparent, and the image is of no use
  /// then. Null for a format without transparency.
  Result<bool> (*decode_over)(Bytes bytes, std::uint8_t background, Decoding& decoding);
};

/// The codec whose magic the file begins with; null where there is none.
const ImageCodec* find_codec(Bytes bytes) noexcept;

/// What a file that no codec reads looks like: "HEIC", or empty.
std::string_view other_format(Bytes bytes) noexcept;

}  // namespace infer::inline v0
