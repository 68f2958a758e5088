#include "infer/torch_interop.h"

#include <ATen/ops/from_blob.h>

#include <array>
#include <memory>
#include <optional>
#include <utility>

namespace infer::inline v0 {
namespace {

constexpr std::array<std::pair<DType, at::ScalarType>, 13> kTypes{{
    {DType::kBool, at::kBool},
    {DType::kUint8, at::kByte},
    {DType::kUint16, at::kUInt16},
    {DType::kUint32, at::kUInt32},
    {DType::kUint64, at::kUInt64},
    {DType::kInt8, at::kChar},
    {DType::kInt16, at::kShort},
    {DType::kInt32, at::kInt},
    {DType::kInt64, at::kLong},
    {DType::kFp16, at::kHalf},
    {DType::kBf16, at::kBFloat16},
    {DType::kFp32, at::kFloat},
    {DType::kFp64, at::kDouble},
}};

std::optional<DType> dtype_of(at::ScalarType type) {
  for (const auto& [ours, theirs] : kTypes) {
    if (theirs == type) return ours;
  }
  return std::nullopt;
}

}  // namespace

at::Tensor to_torch(const Tensor& tensor) {
  const auto dims = tensor.shape().dims();
  // A model must not write to its inputs; LibTorch has no type for that.
  void* data = const_cast<std::byte*>(tensor.data());
  return at::from_blob(
      data, at::IntArrayRef(dims.data(), dims.size()), [owner = tensor.owner()](void*) {},
      at::TensorOptions().dtype(kTypes[static_cast<std::size_t>(tensor.dtype())].second));
}

Result<Tensor> from_torch(const at::Tensor& tensor) {
  if (!tensor.defined()) return fail(ErrorCode::kModelError, "an output is undefined");
  const auto dtype = dtype_of(tensor.scalar_type());
  if (!dtype)
    return fail(ErrorCode::kModelError,
                std::string("an output has the unsupported dtype ") + at::toString(tensor.scalar_type()));
  if (tensor.dim() > static_cast<std::int64_t>(Shape::kMaxRank)) {
    return fail(ErrorCode::kModelError,
                "an output has " + std::to_string(tensor.dim()) + " dimensions, at most 8 are supported");
  }
  if (tensor.layout() != at::kStrided) return fail(ErrorCode::kModelError, "an output is not dense");
  auto owner = std::make_shared<at::Tensor>(tensor.to(at::kCPU).contiguous());
  const auto sizes = owner->sizes();
  const Shape shape(std::span<const std::int64_t>(sizes.data(), sizes.size()));
  void* data = owner->data_ptr();
  return Tensor::wrap(*dtype, shape, std::move(owner), data);
}

}  // namespace infer::inline v0
