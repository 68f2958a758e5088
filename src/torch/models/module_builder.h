#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>

#include <map>
#include <memory>
#include <string>

#include "infer/engine/tensor.h"

namespace infer::inline v0 {

/// Makes the modules of one model in one compilation unit.
class ModuleBuilder {
 public:
  /// Makes an empty module with a type of its own.
  torch::jit::Module make(const std::string& kind) {
    return torch::jit::Module("__torch__.infer." + kind + std::to_string(made_++), unit_);
  }

 private:
  std::shared_ptr<torch::jit::CompilationUnit> unit_ = std::make_shared<torch::jit::CompilationUnit>();
  int made_ = 0;
};

/// Returns TorchScript source with each $NAME replaced by its value. No name may begin with another name.
std::string fill_in(std::string source, const std::map<std::string, std::string>& values);

/// Returns an FP32 copy of `tensor`, which may be unaligned in a mapped file.
at::Tensor to_float(const Tensor& tensor);

}  // namespace infer::inline v0
