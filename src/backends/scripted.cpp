#include "infer/testing/scripted_backend.h"

#include <time.h>

#include <cmath>
#include <string>
#include <thread>

namespace infer::inline v0 {
namespace testing {
namespace {

std::chrono::nanoseconds thread_cpu_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

float element(const Tensor& tensor, std::size_t index) {
  return tensor.dtype() == DType::kFp32 ? tensor.as<float>()[index]
                                        : static_cast<float>(tensor.as<std::uint8_t>()[index]);
}

class ScriptedBackend final : public Backend {
 public:
  explicit ScriptedBackend(ScriptedOptions options) : options_(std::move(options)) {}

  const ModelSignature& signature() const noexcept override { return options_.signature; }

  Result<std::vector<Tensor>> forward(std::span<const Tensor> inputs) const override {
    if (options_.before) {
      if (auto allowed = options_.before(inputs); !allowed) return Unexpected(allowed.error());
    }
    const auto batch = static_cast<std::size_t>(inputs[0].shape()[0]);
    spend(options_.base + options_.per_sample * static_cast<std::int64_t>(batch));
    if (options_.poison) {
      for (std::size_t i = 0; i < batch; ++i) {
        if (element(inputs[0].row(i), 0) == *options_.poison)
          return fail(ErrorCode::kModelError, "poisoned sample");
      }
    }
    std::vector<Tensor> outputs;
    for (const TensorSpec& spec : options_.signature.outputs) {
      auto output = Tensor::allocate(spec.dtype, spec.shape.with_batch(static_cast<std::int64_t>(batch)));
      if (!output) return Unexpected(output.error());
      for (std::size_t i = 0; i < batch; ++i) fill(inputs[0].row(i), output->row(i));
      outputs.push_back(*std::move(output));
    }
    return outputs;
  }

 private:
  void spend(std::chrono::microseconds time) const {
    if (time.count() <= 0) return;
    if (options_.burn) {
      burn_cpu(time);
    } else {
      std::this_thread::sleep_for(time);
    }
  }

  static void fill(const Tensor& input, Tensor output) {
    const std::size_t from = input.elements();
    const auto out = output.as<float>();
    for (std::size_t j = 0; j < out.size(); ++j)
      out[j] = from == 0 ? 0.0F : element(input, j * from / out.size());
  }

  const ScriptedOptions options_;
};

}  // namespace

void burn_cpu(std::chrono::microseconds time) {
  const auto end = thread_cpu_time() + time;
  volatile double sink = 1;
  while (thread_cpu_time() < end) {
    for (int i = 0; i < 200; ++i) sink = sink * 1.0000001;
  }
}

ModelSignature image_signature(std::int64_t size, std::int64_t dim) {
  return {{{"pixel_values", DType::kFp32, Shape{3, size, size}}}, {{"embedding", DType::kFp32, Shape{dim}}}};
}

Result<std::shared_ptr<const Backend>> make_scripted_backend(ScriptedOptions options) {
  const ModelSignature& signature = options.signature;
  if (signature.inputs.empty() || signature.outputs.empty() || !signature.is_static()) {
    return fail(ErrorCode::kInvalidArgument, "scripted: inputs and outputs of fixed shape are needed");
  }
  for (const TensorSpec& spec : signature.inputs) {
    if (spec.dtype != DType::kFp32 && spec.dtype != DType::kUint8) {
      return fail(ErrorCode::kInvalidArgument, "scripted: " + spec.name + ": inputs are FP32 or UINT8");
    }
  }
  for (const TensorSpec& spec : signature.outputs) {
    if (spec.dtype != DType::kFp32)
      return fail(ErrorCode::kInvalidArgument, "scripted: " + spec.name + ": outputs are FP32");
  }
  return std::shared_ptr<const Backend>(std::make_shared<ScriptedBackend>(std::move(options)));
}

}  // namespace testing

}  // namespace infer::inline v0
