// Runs a model that is not TorchScript, here a moving average in C++. The engine batches its requests too.
#include <infer/engine/engine.h>

#include <cstdio>
#include <future>
#include <vector>

//! [backend]
class MovingAverage final : public infer::Backend {
 public:
  const infer::ModelSignature& signature() const noexcept override { return signature_; }

  infer::Result<std::vector<infer::Tensor>> forward(std::span<const infer::Tensor> inputs) const override {
    const auto batch = inputs[0].shape()[0];
    auto out = infer::Tensor::allocate(infer::DType::kFp32, infer::Shape{batch, kOut});
    if (!out) return infer::Unexpected(out.error());
    for (std::size_t row = 0; row < static_cast<std::size_t>(batch); ++row) {
      const float* x = inputs[0].as<float>().data() + row * kIn;
      float* y = out->as<float>().data() + row * kOut;
      for (int i = 0; i < kOut; ++i) y[i] = (x[i] + x[i + 1] + x[i + 2]) / 3;
    }
    return std::vector{*std::move(out)};
  }

 private:
  static constexpr int kIn = 10;
  static constexpr int kOut = 8;
  const infer::ModelSignature signature_{{{"series", infer::DType::kFp32, infer::Shape{kIn}}},
                                         {{"average", infer::DType::kFp32, infer::Shape{kOut}}}};
};
//! [backend]

int main() {
  infer::EngineOptions options;
  options.batch.max_batch_size = 4;
  options.batch.allowed_batch_sizes = {1, 2, 4};
  options.batch.max_queue_delay = std::chrono::milliseconds(20);  // wait for more samples to fill a batch
  auto engine =
      infer::Engine::create(infer::make_model("average", std::make_shared<MovingAverage>()), options).value();
  std::vector<infer::Pending> pending;
  for (int n = 0; n < 4; ++n) {
    auto series = infer::Tensor::allocate(infer::DType::kFp32, infer::Shape{10}).value();
    for (int i = 0; i < 10; ++i) series.as<float>()[static_cast<std::size_t>(i)] = static_cast<float>(n * i);
    pending.push_back(engine.submit({std::move(series)}).value());
  }
  for (auto& one : pending) {
    const auto response = one.get().value();
    std::printf("last average %.1f, in a batch of %zu\n", response.outputs[0].as<float>()[7],
                response.batch_size);
  }
}
