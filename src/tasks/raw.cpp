#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "rows.h"

namespace infer::inline v0 {
namespace {

/// Fills `values` with pseudorandom numbers from -1 to 1 (SplitMix64: Steele et al., 2014).
void fill_with_noise(std::span<float> values, std::uint64_t seed) {
  std::uint64_t state = seed << 32;
  for (float& value : values) {
    state += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    value = static_cast<float>((z ^ (z >> 31)) >> 40) * 0x1p-23F - 1.0F;
  }
}

/// Tensors in, tensors out. The recorded inputs are noise, for models with FP32 inputs of fixed shape.
class RawModel final : public TaskModel {
 public:
  explicit RawModel(std::shared_ptr<Engine> engine) : TaskModel(std::move(engine), TaskInput::kTensors) {}

  std::size_t recorded() const noexcept override {
    constexpr std::size_t kRows = 4;
    const ModelSignature& signature = engine()->model().backend->signature();
    const bool fp32 = std::ranges::all_of(signature.inputs,
                                          [](const TensorSpec& spec) { return spec.dtype == DType::kFp32; });
    return fp32 && signature.is_static() ? kRows : 0;
  }

  Result<std::vector<std::vector<float>>> recorded_answer(std::size_t index) const override {
    const ModelSignature& signature = engine()->model().backend->signature();
    Sample sample;
    for (const TensorSpec& spec : signature.inputs) {
      auto input = Tensor::allocate(spec.dtype, spec.shape);
      if (!input) return Unexpected(input.error());
      fill_with_noise(input->as<float>(), index);
      sample.push_back(*std::move(input));
    }
    auto response = engine()->infer(std::move(sample));
    if (!response) return Unexpected(response.error());
    return values_of(*response);
  }
};

}  // namespace

TaskRow raw_task() noexcept {
  return {"raw", TaskInput::kTensors,
          [](std::shared_ptr<Engine> engine, const TaskOptions&) -> Result<std::unique_ptr<TaskModel>> {
            return std::make_unique<RawModel>(std::move(engine));
          },
          same_signature};
}

}  // namespace infer::inline v0
