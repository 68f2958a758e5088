// The limit: nothing but LibTorch's forward, THREADS at a time, in images per second of CPU time and of wall
// time.
//   bare_forward MODEL.pt THREADS BATCH SECONDS

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include <atomic>
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
  std::atomic<bool> stop{false};
  std::atomic<bool> count{false};
  std::atomic<long> images{0};
  std::vector<std::thread> workers;
  for (int i = 0; i < threads; ++i) {
    workers.emplace_back([&] {
      const c10::InferenceMode worker_guard;
      at::set_num_threads(1);
      const at::Tensor input = at::full({batch, 3, 224, 224}, 0.1);
      while (!stop) {
        (void)module.get_method("forward")({input});
        if (count) images += batch;
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds / 4));  // warm up
  count = true;
  const double cpu = cpu_seconds();
  const auto start = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double used = cpu_seconds() - cpu;
  const long done = images;
  stop = true;
  for (auto& worker : workers) worker.join();
  std::printf(
      "{\"threads\": %d, \"batch\": %d, \"images_per_second\": %.3f, \"images_per_cpu_second\": %.3f}\n",
      threads, batch, static_cast<double>(done) / wall, static_cast<double>(done) / used);
  return 0;
}
