#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "infer/image/decode_budget.h"

namespace infer::inline v0 {

/// Pixels: 8-bit RGB, interleaved, row-major, no padding. Owns its memory; movable, not copyable.
struct Image {
  std::size_t width = 0;
  std::size_t height = 0;
  DecodeBudget::Lease lease;  ///< The pixels' share of a budget, until they are gone.
  std::unique_ptr<std::uint8_t[]> pixels;

  static constexpr std::size_t kChannels = 3;

  static Image uninitialised(std::size_t width, std::size_t height) {
    return {width, height, {}, std::make_unique_for_overwrite<std::uint8_t[]>(width * height * kChannels)};
  }
  std::uint8_t* row(std::size_t y) noexcept { return pixels.get() + y * width * kChannels; }
  const std::uint8_t* row(std::size_t y) const noexcept { return pixels.get() + y * width * kChannels; }
};

}  // namespace infer::inline v0
