#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "infer/core/result.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// Element types; the names are those of the Open Inference Protocol.
enum class DType : std::uint8_t {
  kBool,    ///< One byte, 0 or 1.
  kUint8,   ///< Unsigned, 8 bits.
  kUint16,  ///< Unsigned, 16 bits.
  kUint32,  ///< Unsigned, 32 bits.
  kUint64,  ///< Unsigned, 64 bits.
  kInt8,    ///< Signed, 8 bits.
  kInt16,   ///< Signed, 16 bits.
  kInt32,   ///< Signed, 32 bits.
  kInt64,   ///< Signed, 64 bits.
  kFp16,    ///< IEEE 754 binary16.
  kBf16,    ///< bfloat16: the upper 16 bits of a binary32.
  kFp32,    ///< IEEE 754 binary32, `float`.
  kFp64,    ///< IEEE 754 binary64, `double`.
};

/// Returns the size of one element, in bytes.
INFER_EXPORT std::size_t element_size(DType dtype) noexcept;
/// Returns the name of a dtype, such as "FP32" or "UINT8"; static text.
INFER_EXPORT std::string_view to_string(DType dtype) noexcept;
/// Returns the dtype with that name; empty for an unknown name.
INFER_EXPORT std::optional<DType> parse_dtype(std::string_view name) noexcept;

/// The sizes of up to eight dimensions; a plain value.
///
/// -1 means "any size" in a `TensorSpec`.
class INFER_EXPORT Shape {
 public:
  /// Maximum number of dimensions.
  static constexpr std::size_t kMaxRank = 8;

  /// Makes a shape without dimensions, that of a single number.
  Shape() = default;
  /// Makes a shape from sizes, such as `Shape{3, 224, 224}`; sizes after the eighth are dropped.
  Shape(std::initializer_list<std::int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  /// Makes a shape from sizes; sizes after the eighth are dropped.
  explicit Shape(std::span<const std::int64_t> dims) noexcept;

  /// Returns the number of dimensions.
  std::size_t rank() const noexcept { return rank_; }
  /// Returns the size of dimension `axis`, which must be below `kMaxRank`; 0 from `rank()` on.
  std::int64_t operator[](std::size_t axis) const noexcept { return dims_[axis]; }
  /// Returns all sizes; valid as long as the shape.
  std::span<const std::int64_t> dims() const noexcept { return {dims_.data(), rank_}; }
  /// Returns the product of the sizes: 1 for rank 0, 0 if a size is below 1, and the largest number on
  /// overflow.
  std::size_t elements() const noexcept;
  /// Returns this shape with `size` in front; the rank must be below `kMaxRank`.
  Shape with_batch(std::int64_t size) const noexcept;
  /// Returns this shape without its first dimension; the rank must be at least 1.
  Shape without_batch() const noexcept;
  /// Returns the shape as text, such as "[3,224,224]".
  std::string text() const;

  /// Returns true if rank and sizes are equal.
  friend bool operator==(const Shape& a, const Shape& b) noexcept = default;

 private:
  std::array<std::int64_t, kMaxRank> dims_{};
  std::size_t rank_ = 0;
};

/// Returns the bytes of a tensor of that dtype and shape; the largest number on overflow.
INFER_EXPORT std::size_t byte_size(DType dtype, const Shape& shape) noexcept;

/// A dtype, a shape and a shared, contiguous, row-major buffer.
///
/// Copies are cheap and share the buffer; the last copy frees it. Several threads may read a buffer; a writer
/// needs the only copy.
class INFER_EXPORT Tensor {
 public:
  /// Makes a tensor without elements: FP32 [0].
  Tensor() = default;

  /// Allocates uninitialised memory, aligned to 64 bytes.
  ///
  /// Errors: `kOutOfMemory`.
  static Result<Tensor> allocate(DType dtype, const Shape& shape);
  /// Makes a tensor of existing memory; copies nothing.
  ///
  /// `data` must hold the elements of `shape` and stay valid as long as `owner`, which the tensor and its
  /// copies share. With a null `owner`, the caller keeps `data` valid.
  static Tensor wrap(DType dtype, const Shape& shape, std::shared_ptr<void> owner, void* data) noexcept;

  /// Returns the element type.
  DType dtype() const noexcept { return dtype_; }
  /// Returns the shape; valid as long as the tensor.
  const Shape& shape() const noexcept { return shape_; }
  /// Returns the number of elements.
  std::size_t elements() const noexcept { return shape_.elements(); }
  /// Returns the size of all elements, in bytes.
  std::size_t bytes() const noexcept { return byte_size(dtype_, shape_); }
  /// Returns the memory for writing, which needs the only copy; null for a default-made tensor.
  std::byte* data() noexcept { return data_; }
  /// Returns the memory for reading; null for a default-made tensor.
  const std::byte* data() const noexcept { return data_; }
  /// Returns what keeps the memory valid.
  const std::shared_ptr<void>& owner() const noexcept { return owner_; }

  /// Returns the elements as `T` for writing; `T` must have the size and the kind of the dtype, unchecked.
  template <class T>
  std::span<T> as() noexcept {
    return {reinterpret_cast<T*>(data_), elements()};
  }
  /// Returns the elements as `T` for reading; `T` must have the size and the kind of the dtype, unchecked.
  template <class T>
  std::span<const T> as() const noexcept {
    return {reinterpret_cast<const T*>(data_), elements()};
  }

  /// Returns a tensor that shares this memory under another shape with as many elements.
  Tensor reshaped(const Shape& shape) const noexcept;
  /// Returns row `index` of the first dimension, which shares this tensor's memory.
  Tensor row(std::size_t index) const noexcept;

 private:
  DType dtype_ = DType::kFp32;
  Shape shape_{0};
  std::shared_ptr<void> owner_;
  std::byte* data_ = nullptr;
};

}  // namespace infer::inline v0
