#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "infer/core/result.h"
#include "infer/core/stop_condition.h"
#include "infer/image/decode.h"
#include "infer/image/image.h"

namespace infer::inline v0 {

/// Writes stored pixels to their places in an upright image.
class UprightWriter {
 public:
  UprightWriter() = default;
  UprightWriter(Image& upright, std::size_t stored_width, std::size_t stored_height,
                int orientation) noexcept;

  /// Writes `count` RGB pixels of stored row `y`: the first at column `x`, each further one `step` columns
  /// later.
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

  /// Returns why decoding must end, if it must; decoders ask about once a row.
  std::optional<ErrorCode> ended() const noexcept { return until_.reached(); }
  /// Returns the error for the result of `ended`.
  Error error(ErrorCode why) const;

  /// Waits for the memory of the pixels and for `working_bytes`, which the codec is about to allocate. Called
  /// once, before any of this is allocated. Errors: those of `DecodeBudget::acquire`.
  Result<void> allocate(std::size_t working_bytes);

  /// Same as `UprightWriter::put`; called after `allocate`.
  void put(const std::uint8_t* rgb, std::size_t count, std::size_t y, std::size_t x = 0,
           std::size_t step = 1) const noexcept {
    writer_.put(rgb, count, y, x, step);
  }

  /// Returns the upright image and releases the codec's part of the budget.
  Image finish() noexcept;

 private:
  const ImageInfo info_;
  const DecodeLimits& limits_;
  const StopCondition& until_;
  Image image_;
  UprightWriter writer_;
};

}  // namespace infer::inline v0
