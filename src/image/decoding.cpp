#include "decoding.h"

#include <cstring>
#include <string>
#include <utility>

namespace infer::inline v0 {

UprightWriter::UprightWriter(Image& upright, std::size_t stored_width, std::size_t stored_height,
                             int orientation) noexcept {
  // EXIF 2.3 defines orientations by the stored sides that are the visual top and left.
  const bool transposed = orientation >= 5 && orientation <= 8;
  const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const auto pixel = static_cast<std::ptrdiff_t>(Image::kChannels);
  const auto line = static_cast<std::ptrdiff_t>(upright.width) * pixel;
  const std::ptrdiff_t along_column = transposed ? line : pixel;
  const std::ptrdiff_t along_row = transposed ? pixel : line;
  origin_ = upright.pixels.get();
  if (flip_x) origin_ += along_column * (static_cast<std::ptrdiff_t>(stored_width) - 1);
  if (flip_y) origin_ += along_row * (static_cast<std::ptrdiff_t>(stored_height) - 1);
  column_step_ = flip_x ? -along_column : along_column;
  row_step_ = flip_y ? -along_row : along_row;
}

void UprightWriter::put(const std::uint8_t* rgb, std::size_t count, std::size_t y, std::size_t x,
                        std::size_t step) const noexcept {
  std::uint8_t* out =
      origin_ + static_cast<std::ptrdiff_t>(y) * row_step_ + static_cast<std::ptrdiff_t>(x) * column_step_;
  const std::ptrdiff_t stride = static_cast<std::ptrdiff_t>(step) * column_step_;
  if (stride == static_cast<std::ptrdiff_t>(Image::kChannels)) {
    std::memcpy(out, rgb, count * Image::kChannels);
    return;
  }
  for (std::size_t i = 0; i < count; ++i, rgb += Image::kChannels) {
    std::uint8_t* to = out + static_cast<std::ptrdiff_t>(i) * stride;
    for (std::size_t c = 0; c < Image::kChannels; ++c) to[c] = rgb[c];
  }
}

Error Decoding::error(ErrorCode why) const {
  return {why, why == ErrorCode::kCancelled ? "cancelled" : "deadline passed", {}};
}

Result<void> Decoding::allocate(std::size_t working_bytes) {
  const std::size_t pixel_bytes = info_.width * info_.height * Image::kChannels;
  DecodeBudget::Lease lease;
  if (limits_.budget) {
    auto granted = limits_.budget->acquire(pixel_bytes + working_bytes, until_);
    if (!granted) {
      Error error = std::move(granted.error());
      error.message =
          std::to_string(info_.width) + " x " + std::to_string(info_.height) + ": " + error.message;
      return Unexpected(std::move(error));
    }
    lease = *std::move(granted);
  }
  const bool transposed = info_.orientation >= 5;
  image_ = transposed ? Image::uninitialised(info_.height, info_.width)
                      : Image::uninitialised(info_.width, info_.height);
  image_.lease = std::move(lease);
  writer_ = UprightWriter(image_, info_.width, info_.height, info_.orientation);
  return {};
}

Image Decoding::finish() noexcept {
  image_.lease.shrink(image_.width * image_.height * Image::kChannels);
  return std::move(image_);
}

}  // namespace infer::inline v0
