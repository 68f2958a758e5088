#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "infer/core/result.h"
#include "infer/core/stop_condition.h"
#include "infer/image/decode.h"
#include "infer/image/image.h"

namespace infer::inline v0 {

/// Puts stored pixels where they belong in an upright image.
class UprightWriter {
 public:
  UprightWriter() = default;
  UprightWriter(Image& upright, std::size_t stored_width, std::size_t stored_height,
                int orientation) noexcept;

  /// Places `count` RGB pixels of stored row `y`, the first at column `x`, each `step` columns after the one
  /// before.
  void put(const std::uint8_t* rgb, std::size_t count, std::size_t y, std::size_t x = 0,
           std::size_t step = 1) const noexcept;

 private:
  std::uint8_t* origin_ = nullptr;  ///< Where stored column 0 of stored row 0 goes.
  std::ptrdiff_t column_step_ = 0;  ///< Bytes from a stored column to the next, in the upright image.
  std::ptrdiff_t row_step_ = 0;
};

/// One image being decoded: the memory that it may take, when to give up, and where its pixels go.
class Decoding {
 public:
  Decoding(const ImageInfo& info, const DecodeLimits& limits, const StopCondition& until) noexcept
      : info_(info), limits_(limits), until_(until) {}

  const ImageInfo& info() const noexcept { return info_; }

  /// Why decoding is to end; asked after each row or so.
  std::optional<ErrorCode> ended() const noexcept { return until_.reached(); }
  /// The error for `ended`.
  Error error(ErrorCode why) const;

  /// Waits for memory: the pixels', and `working_bytes` that the codec is about to take. Once, before either
  /// is allocated. Errors: of `DecodeBudget::acquire`.
  Result<void> allocate(std::size_t working_bytes);

  /// As `UprightWriter::put`; after `allocate`.
  void put(const std::uint8_t* rgb, std::size_t count, std::size_t y, std::size_t x = 0,
           std::size_t step = 1) const noexcept {
    writer_.put(rgb, count, y, x, step);
  }

  /// The upright image, once the codec's own memory is given back.
  Image finish() noexcept;

 private:
  const ImageInfo info_;
  const DecodeLimits& limits_;
  const StopCondition& until_;
  Image image_;
  UprightWriter writer_;
};

}  // namespace infer::inline v0
