// Decodes any bytes with both decoders: the result must be an image within the limits or an error, and all
// memory must be released.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "infer/image/decode.h"
#include "infer/image/perceptual_hash.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const infer::DecodeLimits kLimits{
      .max_pixels = 1 << 18, .budget = std::make_shared<infer::DecodeBudget>(std::size_t{8} << 20)};
  {
    const auto image = infer::decode_image({data, size}, kLimits);
    if (image) {
      if (image->width * image->height > kLimits.max_pixels || image->width == 0 || image->height == 0)
        std::abort();
      (void)infer::perceptual_hash(*image);
    }
  }
  // Holds no image while it decodes another.
  (void)infer::decode_over({data, size}, 255, kLimits);
  if (kLimits.budget->used_bytes() != 0) std::abort();
  return 0;
}
