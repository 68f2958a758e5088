#pragma once

#include <memory>
#include <semaphore>
#include <string>
#include <utility>
#include <vector>

#include "infer/engine/engine.h"
#include "infer/testing/scripted_backend.h"

namespace infer::inline v0::testing {

/// Blocks every forward until the test releases it.
class ForwardGate {
 public:
  std::function<Result<void>(std::span<const Tensor>)> hook() {
    return [this](std::span<const Tensor> inputs) -> Result<void> {
      sizes_.push_back(static_cast<std::size_t>(inputs[0].shape()[0]));
      entered_.release();
      go_.acquire();
      return {};
    };
  }
  void wait_entered() { entered_.acquire(); }
  void let_go(std::ptrdiff_t forwards) { go_.release(forwards); }
  /// Batch sizes of the forwards so far. Read this only while no forward runs.
  const std::vector<std::size_t>& sizes() const { return sizes_; }

 private:
  std::counting_semaphore<1 << 20> entered_{0};
  std::counting_semaphore<1 << 20> go_{0};
  std::vector<std::size_t> sizes_;
};

inline ModelSignature vector_signature(std::int64_t size = 4) {
  return {{{"x", DType::kFp32, Shape{size}}}, {{"y", DType::kFp32, Shape{size}}}};
}

inline Sample vector_sample(std::vector<float> values) {
  auto tensor = Tensor::allocate(DType::kFp32, Shape{static_cast<std::int64_t>(values.size())}).value();
  std::copy(values.begin(), values.end(), tensor.as<float>().begin());
  return {tensor};
}

inline Engine scripted_engine(ScriptedOptions script, EngineOptions options = {}) {
  if (script.signature.inputs.empty()) script.signature = vector_signature();
  options.warmup = Warmup::kNone;
  auto backend = make_scripted_backend(std::move(script)).value();
  return Engine::create(make_model("scripted", std::move(backend)), std::move(options)).value();
}

}  // namespace infer::inline v0::testing
