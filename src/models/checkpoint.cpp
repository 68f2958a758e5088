#include "checkpoint.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>

namespace infer::inline v0 {
namespace {

/// Returns the index of the first value for which `wrong` is true. The data may be unaligned in a mapped
/// file.
template <class T, class Wrong>
std::optional<std::size_t> first(const Tensor& tensor, Wrong wrong) {
  const auto* bytes = static_cast<const std::byte*>(tensor.data());
  const std::size_t count = tensor.elements();
  for (std::size_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, bytes + i * sizeof(T), sizeof(T));
    if (wrong(value)) return i;
  }
  return std::nullopt;
}

/// Returns the index of the first value that is NaN or infinite as FP32.
std::optional<std::size_t> first_non_finite(const Tensor& tensor) {
  const auto exponent = [](auto mask) { return [mask](auto bits) { return (bits & mask) == mask; }; };
  switch (tensor.dtype()) {
    case DType::kFp16:
      return first<std::uint16_t>(tensor, exponent(std::uint16_t{0x7C00}));
    case DType::kBf16:
      return first<std::uint16_t>(tensor, exponent(std::uint16_t{0x7F80}));
    case DType::kFp32:
      return first<std::uint32_t>(tensor, exponent(std::uint32_t{0x7F800000}));
    case DType::kFp64:
      return first<double>(tensor, [](double value) {
        return !(std::abs(value) <= static_cast<double>(std::numeric_limits<float>::max()));
      });
    default:
      return std::nullopt;
  }
}

}  // namespace

const Tensor* Checkpoint::take(const std::string& name, const Shape& shape) {
  taken_.insert(name);
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    problems_.push_back("missing: " + name + " " + shape.text());
    return nullptr;
  }
  const Tensor& tensor = found->second;
  if (!(tensor.shape() == shape)) {
    problems_.push_back("misshapen: " + name + " is " + tensor.shape().text() + ", expected " + shape.text());
    return nullptr;
  }
  const DType dtype = tensor.dtype();
  if (dtype != DType::kFp32 && dtype != DType::kFp16 && dtype != DType::kBf16 && dtype != DType::kFp64) {
    problems_.push_back("not a floating-point tensor: " + name + " is " + std::string(to_string(dtype)));
    return nullptr;
  }
  if (const auto place = first_non_finite(tensor)) {
    problems_.push_back("not finite: " + name + " contains NaN or infinity, first at element " +
                        std::to_string(*place));
    return nullptr;
  }
  return &tensor;
}

Result<void> Checkpoint::check() const {
  std::vector<std::string> problems = problems_;
  for (const auto& [name, tensor] : tensors_) {
    const bool ignored = std::any_of(ignored_.begin(), ignored_.end(),
                                     [&](const std::string& prefix) { return name.starts_with(prefix); });
    if (!ignored && !taken_.contains(name))
      problems.push_back("unexpected: " + name + " " + tensor.shape().text());
  }
  if (problems.empty()) return {};
  std::string text = std::to_string(problems.size()) + " tensors do not fit the architecture:";
  for (const std::string& problem : problems) text += "\n  " + problem;
  return fail(ErrorCode::kInvalidArgument, text);
}

}  // namespace infer::inline v0
