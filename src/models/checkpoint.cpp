#include "checkpoint.h"

#include <algorithm>

namespace infer::inline v0 {

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
