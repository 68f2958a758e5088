// Runs models that are not TorchScript, here moving averages in C++: infer.json names the backend.
#include <infer/engine/backends.h>
#include <infer/engine/open.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <vector>

namespace fs = std::filesystem;

//! [backend]
class MovingAverage final : public infer::Backend {
 public:
  explicit MovingAverage(int width) : width_(width) {}
  const infer::ModelSignature& signature() const noexcept override { return signature_; }

  infer::Result<std::vector<infer::Tensor>> forward(std::span<const infer::Tensor> inputs) const override {
    const auto batch = inputs[0].shape()[0];
    auto out = infer::Tensor::allocate(infer::DType::kFp32, infer::Shape{batch, kIn - width_ + 1});
    if (!out) return infer::Unexpected(out.error());
    float* y = out->as<float>().data();
    for (int row = 0; row < batch; ++row) {
      const float* x = inputs[0].as<float>().data() + row * kIn;
      for (int i = 0; i + width_ <= kIn; ++i)
        *y++ = std::accumulate(x + i, x + i + width_, 0.0F) / static_cast<float>(width_);
    }
    return std::vector{*std::move(out)};
  }

  /// Reads DIRECTORY/FILE of a model's version.
  static infer::Result<std::shared_ptr<const infer::Backend>> load(const infer::Manifest& manifest,
                                                                   const fs::path& directory,
                                                                   const infer::LoadOptions& /*options*/) {
    std::ifstream file(directory / manifest.file);
    int width = 0;
    if (!(file >> width) || width < 1 || width > kIn)
      return infer::fail(infer::ErrorCode::kModelError, manifest.file + ": needs a width from 1 to 10");
    return std::shared_ptr<const infer::Backend>(std::make_shared<MovingAverage>(width));
  }

 private:
  static constexpr int kIn = 10;
  const int width_;
  const infer::ModelSignature signature_{{{"series", infer::DType::kFp32, infer::Shape{kIn}}},
                                         {{"average", infer::DType::kFp32, infer::Shape{kIn - width_ + 1}}}};
};
//! [backend]

int main() {
  const fs::path model = fs::temp_directory_path() / "infer-moving-average";
  fs::create_directories(model / "1");
  std::ofstream(model / "infer.json") << R"({"backend": "moving-average", "file": "width.txt"})";
  std::ofstream(model / "1" / "width.txt") << 3;

  //! [table]
  infer::Backends backends;
  backends.add({"moving-average", "moving_average", MovingAverage::load}).value();
  infer::OpenOptions options;
  options.backends = std::make_shared<const infer::Backends>(std::move(backends));
  options.workers = 1;
  options.max_batch_size = 4;
  options.max_queue_delay = std::chrono::milliseconds(20);  // wait for more samples to fill a batch
  auto engine = infer::open_engine(model, options).value();
  //! [table]
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
