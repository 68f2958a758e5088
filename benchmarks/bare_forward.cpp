// Measures the limit: only LibTorch's forward, on THREADS threads, in images per second of CPU time and of
// wall time.
//
// bare_forward MODEL.pt THREADS BATCH SECONDS

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <thread>
#include <vector>

namespace {

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return std::puts("usage: bare_forward MODEL.pt THREADS BATCH SECONDS"), 2;
  const int threads = std::atoi(argv[2]);
  const int batch = std::atoi(argv[3]);
  const double seconds = std::atof(argv[4]);
  at::set_num_threads(1);
  at::set_num_interop_threads(1);
  torch::jit::getProfilingMode() = false;
  torch::jit::getExecutorMode() = false;
  const c10::InferenceMode guard;
  torch::jit::Module module = torch::jit::load(argv[1]);
  module.eval();
  module = torch::jit::freeze(module);
  // Runs a fixed number of batches between two barriers, because stopping after a fixed time would miscount
  // the batches in progress.
  const auto forward = [&](const at::Tensor& input) { (void)module.get_method("forward")({input}); };
  const at::Tensor probe = at::full({batch, 3, 224, 224}, 0.1);
  forward(probe);
  const auto probe_start = std::chrono::steady_clock::now();
  forward(probe);
  const double one = std::chrono::duration<double>(std::chrono::steady_clock::now() - probe_start).count();
  const int batches = std::max(2, static_cast<int>(seconds / one));
  std::barrier begin(threads + 1);
  std::barrier end(threads + 1);
  std::vector<std::thread> workers;
  for (int i = 0; i < threads; ++i) {
    workers.emplace_back([&] {
      const c10::InferenceMode worker_guard;
      at::set_num_threads(1);
      const at::Tensor input = at::full({batch, 3, 224, 224}, 0.1);
      forward(input);
      begin.arrive_and_wait();
      for (int n = 0; n < batches; ++n) forward(input);
      end.arrive_and_wait();
    });
  }
  begin.arrive_and_wait();
  const double cpu = cpu_seconds();
  const auto start = std::chrono::steady_clock::now();
  end.arrive_and_wait();
  const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double used = cpu_seconds() - cpu;
  for (auto& worker : workers) worker.join();
  const double done = static_cast<double>(threads) * batches * batch;
  std::printf(
      "{\"threads\": %d, \"batch\": %d, \"images_per_second\": %.3f, \"images_per_cpu_second\": %.3f}\n",
      threads, batch, done / wall, done / used);
  return 0;
}
