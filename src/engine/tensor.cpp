#include "infer/engine/tensor.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <new>
#include <utility>

namespace infer::inline v0 {
namespace {

struct DTypeInfo {
  DType dtype;
  std::string_view name;
  std::size_t size;
};

constexpr std::array<DTypeInfo, 13> kDTypes{{
    {DType::kBool, "BOOL", 1},
    {DType::kUint8, "UINT8", 1},
    {DType::kUint16, "UINT16", 2},
    {DType::kUint32, "UINT32", 4},
    {DType::kUint64, "UINT64", 8},
    {DType::kInt8, "INT8", 1},
    {DType::kInt16, "INT16", 2},
    {DType::kInt32, "INT32", 4},
    {DType::kInt64, "INT64", 8},
    {DType::kFp16, "FP16", 2},
    {DType::kBf16, "BF16", 2},
    {DType::kFp32, "FP32", 4},
    {DType::kFp64, "FP64", 8},
}};

constexpr std::align_val_t kAlignment{64};

}  // namespace

std::size_t element_size(DType dtype) noexcept { return kDTypes[static_cast<std::size_t>(dtype)].size; }

std::string_view to_string(DType dtype) noexcept { return kDTypes[static_cast<std::size_t>(dtype)].name; }

std::optional<DType> parse_dtype(std::string_view name) noexcept {
  for (const auto& info : kDTypes) {
    if (info.name == name) return info.dtype;
  }
  return std::nullopt;
}

Shape::Shape(std::span<const std::int64_t> dims) noexcept : rank_(std::min(dims.size(), kMaxRank)) {
  std::copy_n(dims.begin(), rank_, dims_.begin());
}

std::size_t Shape::elements() const noexcept {
  std::size_t product = 1;
  bool overflows = false;
  for (const std::int64_t dim : dims()) {
    if (dim <= 0) return 0;
    overflows |= __builtin_mul_overflow(product, static_cast<std::size_t>(dim), &product);
  }
  return overflows ? std::numeric_limits<std::size_t>::max() : product;
}

std::size_t byte_size(DType dtype, const Shape& shape) noexcept {
  std::size_t bytes = 0;
  const bool overflows = __builtin_mul_overflow(shape.elements(), element_size(dtype), &bytes);
  return overflows ? std::numeric_limits<std::size_t>::max() : bytes;
}

Shape Shape::with_batch(std::int64_t size) const noexcept {
  Shape result;
  result.rank_ = std::min(rank_ + 1, kMaxRank);
  result.dims_[0] = size;
  std::copy_n(dims_.begin(), result.rank_ - 1, result.dims_.begin() + 1);
  return result;
}

Shape Shape::without_batch() const noexcept { return rank_ == 0 ? Shape() : Shape(dims().subspan(1)); }

std::string Shape::text() const {
  std::string out = "[";
  for (std::size_t i = 0; i < rank_; ++i) out += (i == 0 ? "" : ",") + std::to_string(dims_[i]);
  return out + "]";
}

Result<Tensor> Tensor::allocate(DType dtype, const Shape& shape) {
  const std::size_t bytes = byte_size(dtype, shape);
  if (bytes > PTRDIFF_MAX) return Unexpected(out_of_memory());
  try {
    void* memory = ::operator new(std::max<std::size_t>(bytes, 1), kAlignment);
    std::shared_ptr<void> owner(memory, [](void* p) { ::operator delete(p, kAlignment); });
    return wrap(dtype, shape, std::move(owner), memory);
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  }
}

Tensor Tensor::wrap(DType dtype, const Shape& shape, std::shared_ptr<void> owner, void* data) noexcept {
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.shape_ = shape;
  tensor.owner_ = std::move(owner);
  tensor.data_ = static_cast<std::byte*>(data);
  return tensor;
}

Tensor Tensor::reshaped(const Shape& shape) const noexcept { return wrap(dtype_, shape, owner_, data_); }

Tensor Tensor::row(std::size_t index) const noexcept {
  const Shape shape = shape_.without_batch();
  return wrap(dtype_, shape, owner_, data_ + index * shape.elements() * element_size(dtype_));
}

}  // namespace infer::inline v0
