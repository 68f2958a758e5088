// A GPU must give the same answers as the CPU, alone and in batches, from several threads, and nearly the
// same in half precision. Exits with 77, which CTest counts as skipped, without a GPU.

#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "infer/engine/engine.h"
#include "infer/engine/torchscript.h"
#include "models/torch_making.h"
#include "small_clip.h"

namespace {

using namespace infer;
namespace fs = std::filesystem;

void check(bool holds, const std::string& what) {
  if (holds) return;
  std::printf("FAILED: %s\n", what.c_str());
  std::exit(1);
}

/// Returns the model's file, in fp32 or with its linear layers in another precision.
std::vector<char> archive_of(const ClipVitConfig& config, const std::string& precision) {
  const fs::path folder = fs::temp_directory_path() / ("infer-cuda-" + std::to_string(getpid()));
  fs::remove_all(folder);
  const auto made = create_clip_vit(config, 1, folder);
  check(made.has_value(), made ? "" : made.error().message);
  fs::path path = folder / "1" / "model.pt";
  if (precision != "fp32") {
    QuantizeReport report;
    const auto done = libtorch::quantize(path, folder / "half.pt", precision, report);
    check(done.has_value(), done ? "" : done.error().message);
    path = folder / "half.pt";
  }
  std::ifstream file(path, std::ios::binary);
  std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  fs::remove_all(folder);
  return bytes;
}

Result<std::shared_ptr<const Backend>> load(const std::vector<char>& archive, const std::string& device) {
  Manifest manifest;
  manifest.inputs = {{"pixel_values", DType::kFp32, Shape{3, 224, 224}}};
  manifest.outputs = {{"embedding", DType::kFp32, Shape{512}}};
  return load_torchscript(std::as_bytes(std::span(archive)), manifest, {device, 1});
}

Sample sample(std::size_t index) {
  Tensor pixels = Tensor::allocate(DType::kFp32, Shape{3, 224, 224}).value();
  for (std::size_t i = 0; i < pixels.elements(); ++i) {
    pixels.as<float>()[i] = std::sin(static_cast<float>(i * (index + 1)) * 0.001F);
  }
  return Sample{std::move(pixels)};
}

double cosine(const Tensor& a, const Tensor& b) {
  const auto dot = [](const Tensor& x, const Tensor& y) {
    return std::inner_product(x.as<float>().begin(), x.as<float>().end(), y.as<float>().begin(), 0.0);
  };
  return dot(a, b) / std::sqrt(dot(a, a) * dot(b, b));
}

}  // namespace

int main() {
  const auto archive = archive_of(testing::small_clip(), "fp32");
  const auto gpu = load(archive, "cuda:0");
  if (!gpu && gpu.error().code == ErrorCode::kFailedPrecondition) {
    std::printf("skipped: %s\n", gpu.error().message.c_str());
    return 77;
  }
  check(gpu.has_value(), gpu ? "" : gpu.error().message);
  const auto absent = load(archive, "cuda:99");
  check(!absent && absent.error().code == ErrorCode::kFailedPrecondition, "cuda:99 is a failed precondition");

  EngineOptions options;
  options.threads = {2, 2, 1};
  auto on_cpu = Engine::create(make_model("cpu", load(archive, "cpu").value()), options).value();
  constexpr std::size_t kSamples = 24;
  std::vector<Tensor> expected;
  for (std::size_t i = 0; i < kSamples; ++i) expected.push_back(on_cpu.infer(sample(i)).value().outputs[0]);
  const auto least_cosine = [&](const std::shared_ptr<const Backend>& backend) {
    auto on_gpu = Engine::create(make_model("gpu", backend), options).value();
    double worst = 1;
    for (std::size_t i = 0; i < kSamples; ++i)
      worst = std::min(worst, cosine(on_gpu.infer(sample(i)).value().outputs[0], expected[i]));
    std::vector<Pending> together;
    for (std::size_t i = 0; i < kSamples; ++i) together.push_back(on_gpu.submit(sample(i)).value());
    for (std::size_t i = 0; i < kSamples; ++i)
      worst = std::min(worst, cosine(together[i].get().value().outputs[0], expected[i]));
    return worst;
  };
  for (const auto& [precision, tolerance] : {std::pair("fp32", 0.9999), {"fp16", 0.9999}, {"bf16", 0.999}}) {
    const auto model = load(archive_of(testing::small_clip(), precision), "cuda:0");
    check(model.has_value(), model ? "" : model.error().message);
    const double worst = least_cosine(*model);
    std::printf("%s, %zu samples, alone and together: the least cosine between GPU and CPU is %.7f\n",
                precision, kSamples, worst);
    check(worst >= tolerance, std::string(precision) + ": the least cosine is " + std::to_string(worst));
  }
}
