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

/// Element types; names are those of the Open Inference Protocol.
enum class DType : std::uint8_t {
  kBool,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kFp16,
  kBf16,
  kFp32,
  kFp64,
};

/// Bytes of one element.
INFER_EXPORT std::size_t element_size(DType dtype) noexcept;
/// "FP32", "UINT8", ...
INFER_EXPORT std::string_view to_string(DType dtype) noexcept;
/// The inverse of `to_string`; nothing for an unknown name.
INFER_EXPORT std::optional<DType> parse_dtype(std::string_view name) noexcept;

/// Up to eight dimensions; -1 stands for "any" where a shape describes rather than measures.
class INFER_EXPORT Shape {
 public:
  static constexpr std::size_t kMaxRank = 8;

  Shape() = default;
  Shape(std::initializer_list<std::int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const std::int64_t> dims) noexcept;

  std::size_t rank() const noexcept { return rank_; }
  std::int64_t operator[](std::size_t axis) const noexcept { return dims_[axis]; }
  std::span<const std::int64_t> dims() const noexcept { return {dims_.data(), rank_}; }
  /// Product of the dimensions; 1 for rank 0, 0 where one is below 1, the largest number where it overflows.
  std::size_t elements() const noexcept;
  /// This shape with `size` in front of it; there must be room for another dimension.
  Shape with_batch(std::int64_t size) const noexcept;
  /// This shape without its first dimension.
  Shape without_batch() const noexcept;
  /// "[3,224,224]"
  std::string text() const;

  friend bool operator==(const Shape& a, const Shape& b) noexcept = default;

 private:
  std::array<std::int64_t, kMaxRank> dims_{};
  std::size_t rank_ = 0;
};

/// Bytes of so many elements; the largest number where that overflows.
INFER_EXPORT std::size_t byte_size(DType dtype, const Shape& shape) noexcept;

/// A dtype, a shape and a shared, contiguous, row-major buffer. Copies share the buffer.
///
/// Reading from several threads is safe; writing needs sole use.
class INFER_EXPORT Tensor {
 public:
  Tensor() = default;

  /// Uninitialised memory, 64-byte aligned. Errors: `kOutOfMemory`.
  static Result<Tensor> allocate(DType dtype, const Shape& shape);
  /// Memory that `owner` keeps alive; `data` must hold the elements of `shape` and stay put.
  static Tensor wrap(DType dtype, const Shape& shape, std::shared_ptr<void> owner, void* data) noexcept;

  DType dtype() const noexcept { return dtype_; }
  const Shape& shape() const noexcept { return shape_; }
  std::size_t elements() const noexcept { return shape_.elements(); }
  std::size_t bytes() const noexcept { return byte_size(dtype_, shape_); }
  std::byte* data() noexcept { return data_; }
  const std::byte* data() const noexcept { return data_; }
  const std::shared_ptr<void>& owner() const noexcept { return owner_; }

  /// The elements as `T`, which must have the size of the dtype.
  template <class T>
  std::span<T> as() noexcept {
    return {reinterpret_cast<T*>(data_), elements()};
  }
  template <class T>
  std::span<const T> as() const noexcept {
    return {reinterpret_cast<const T*>(data_), elements()};
  }

  /// The same memory under a shape of equally many elements.
  Tensor reshaped(const Shape& shape) const noexcept;
  /// Row `index` of the first dimension, sharing this tensor's memory.
  Tensor row(std::size_t index) const noexcept;

 private:
  DType dtype_ = DType::kFp32;
  Shape shape_{0};
  std::shared_ptr<void> owner_;
  std::byte* data_ = nullptr;
};

}  // namespace infer::inline v0
