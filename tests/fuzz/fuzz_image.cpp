// Both decoders on any bytes: an image within the limit or an error, nothing else.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "image/codecs.h"
#include "infer/image/decode.h"
#include "infer/image/perceptual_hash.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr infer::DecodeLimits kLimits{1 << 18};
  const auto image = infer::decode_image({data, size}, kLimits);
  if (image) {
    if (image->width * image->height > kLimits.max_pixels || image->width == 0 || image->height == 0)
      std::abort();
    (void)infer::perceptual_hash(*image);
  }
  if (const auto info = infer::probe_image({data, size});
      info && info->width * info->height <= kLimits.max_pixels) {
    (void)infer::decode_with_stb({data, size}, *info);
  }
  return 0;
}
