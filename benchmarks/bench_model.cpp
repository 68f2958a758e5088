// Measures forward at several batch sizes, and a photograph's whole way in process. INFER_BENCH_MODEL names
// the model's folder, INFER_BENCH_DEVICE a device other than cpu.

#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <vector>

#include "image/golden.h"
#include "infer/engine/torchscript.h"
#include "infer/infer.h"

namespace {

std::string variable(const char* name, const char* fallback) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : fallback;
}

std::string model_folder() { return variable("INFER_BENCH_MODEL", "models/clip-vit-b-32"); }
std::string device() { return variable("INFER_BENCH_DEVICE", "cpu"); }

void forward(benchmark::State& state) {
  infer::prepare_torch_process(1);
  const auto model = infer::load_model(model_folder(), {device(), 1});
  if (!model) return state.SkipWithError(model.error().message.c_str());
  model->backend->bind_worker_thread();
  const auto batch = state.range(0);
  const auto& spec = model->backend->signature().inputs.front();
  auto input = infer::Tensor::allocate(spec.dtype, spec.shape.with_batch(batch)).value();
  for (float& value : input.as<float>()) value = 0.1F;
  const std::vector<infer::Tensor> inputs{input};
  for (auto _ : state) benchmark::DoNotOptimize(model->backend->forward(inputs).value());
  state.SetItemsProcessed(state.iterations() * batch);
}
BENCHMARK(forward)->RangeMultiplier(2)->Range(1, 32)->Unit(benchmark::kMillisecond)->MinTime(1.0);

void embed_in_process(benchmark::State& state, const char* photo) {
  infer::prepare_torch_process(1);
  infer::OpenOptions options;
  options.device = device();
  const auto embedder = infer::ImageEmbedder::open(model_folder(), options);
  if (!embedder) return state.SkipWithError(embedder.error().message.c_str());
  const auto bytes = infer::testing::read_bytes(infer::testing::golden(photo).encoded);
  std::vector<double> times;
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize(embedder->embed(bytes).value());
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  state.counters["p50_ms"] = times[times.size() / 2];
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(embed_in_process, jpeg_640x427, "china")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime()
    ->MinTime(2.0);

/// Measures the minimum cost of embedding a folder: the engine is fed from memory, and the CPU time of the
/// whole process counts.
void embed_many(benchmark::State& state, const char* photo) {
  infer::prepare_torch_process(1);
  infer::OpenOptions options;
  options.device = device();
  const auto embedder = infer::ImageEmbedder::open(model_folder(), options);
  if (!embedder) return state.SkipWithError(embedder.error().message.c_str());
  const auto bytes = infer::testing::read_bytes(infer::testing::golden(photo).encoded);
  const std::vector<infer::EncodedImage> images(400, bytes);
  const auto cpu_seconds = [] {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
  };
  const double start = cpu_seconds();
  for (auto _ : state) benchmark::DoNotOptimize(embedder->embed_many(images).value());
  const auto photos = static_cast<double>(state.iterations()) * static_cast<double>(images.size());
  state.counters["photos_per_cpu_second"] = photos / (cpu_seconds() - start);
}
BENCHMARK_CAPTURE(embed_many, jpeg_640x427, "china")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime()
    ->Iterations(1);

}  // namespace
