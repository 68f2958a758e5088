#include "infer/tools/bench.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <memory>
#include <numeric>
#include <thread>
#include <utility>

#include "infer/engine/machine_limit.h"
#include "infer/engine/open.h"
#include "infer/machine/cpu.h"
#include "infer/tools/closed_loop.h"
#include "infer/tools/sample_request.h"

namespace infer::inline v0::tools {
namespace {

using Clock = std::chrono::steady_clock;

/// Runs forward on `workers` threads at the same time, like an engine.
Result<BenchRow> measure(const Backend& backend, std::size_t workers, std::size_t batch, std::size_t length,
                         double seconds) {
  auto inputs = ramp_inputs(backend.signature(), batch, length);
  if (!inputs) return Unexpected(inputs.error());
  std::vector<std::vector<double>> times(workers);
  std::vector<Error> errors(workers);
  std::vector<std::thread> threads;
  const auto start = Clock::now();
  for (std::size_t i = 0; i < workers; ++i) {
    threads.emplace_back([&, i] {
      backend.bind_worker_thread();
      for (int run = 0; run < 3 || Clock::now() - start < std::chrono::duration<double>(seconds); ++run) {
        const auto begin = Clock::now();
        if (auto outputs = backend.forward(*inputs); !outputs) {
          errors[i] = outputs.error();
          return;
        }
        if (run > 0) times[i].push_back(std::chrono::duration<double>(Clock::now() - begin).count());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  double total = 0;
  std::size_t runs = 0;
  double per_second = 0;
  for (std::size_t i = 0; i < workers; ++i) {
    if (!errors[i].message.empty()) return Unexpected(errors[i]);
    const double sum = std::accumulate(times[i].begin(), times[i].end(), 0.0);
    per_second += static_cast<double>(batch * times[i].size()) / sum;
    total += sum;
    runs += times[i].size();
  }
  // The mean determines capacity. A median would ignore slow forwards.
  const double mean_ms = total / static_cast<double>(runs) * 1e3;
  return BenchRow{batch, mean_ms, per_second, mean_ms};
}

std::int64_t thread_cpu_ns() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::int64_t{1'000'000'000} * used.tv_sec + used.tv_nsec;
}

Result<std::size_t> choose_length(std::size_t wanted, const Model& model, const EngineOptions& options) {
  if (model.backend->signature().is_static()) {
    if (wanted == 0) return std::size_t{1};
    return fail(ErrorCode::kInvalidArgument, "--length: every input of " + model.name + " has a fixed shape");
  }
  if (wanted > 0) return wanted;
  if (options.allowed_lengths.empty()) {
    return fail(ErrorCode::kFailedPrecondition,
                model.name +
                    ": the inputs have free dimensions, and infer.json gives no allowed_lengths; set the "
                    "length that clients send with --length N");
  }
  return std::ranges::max(options.allowed_lengths);
}

/// Returns the batch sizes that the engine runs at this length.
std::vector<std::size_t> choose_batches(const BatchOptions& batch, std::size_t length) {
  std::vector<std::size_t> sizes = batch.allowed_batch_sizes;
  if (sizes.empty()) {  // any size is allowed
    for (std::size_t size = 1; size <= batch.max_batch_size; size *= 2) sizes.push_back(size);
  }
  std::erase_if(sizes, [&](std::size_t size) {
    return size > 1 && batch.max_batch_cost > 0 && size * length > batch.max_batch_cost;
  });
  return sizes;
}

}  // namespace

Result<Bench> Bench::open(const BenchOptions& options) {
  OpenOptions wanted;
  wanted.device = options.device;
  wanted.max_wait = std::chrono::milliseconds(0);
  const auto version = choose_version(options.model);
  auto manifest = read_manifest(options.model, version.value_or(""));
  if (!manifest) return Unexpected(manifest.error());
  if (!version) return Unexpected(version.error());
  auto engine = engine_options(*manifest, wanted, usable_cores());
  if (!engine) return Unexpected(engine.error());
  auto model = load_model(options.model, *std::move(manifest),
                          {options.device, engine->threads.intra_op_threads, *version});
  if (!model) return Unexpected(model.error());
  const auto length = choose_length(options.length, *model, *engine);
  if (!length) return Unexpected(length.error());
  Bench bench;
  bench.options_ = options;
  bench.model_ = *std::move(model);
  bench.engine_ = *std::move(engine);
  bench.length_ = *length;
  bench.batches_ = choose_batches(bench.engine_.batch, *length);
  bench.max_batch_size_ = bench.has_free_dimensions() ? std::ranges::max(bench.batches_)  // the cost's rest
                                                      : bench.engine_.batch.max_batch_size;
  if (!options.batches.empty()) bench.batches_ = options.batches;
  bench.limit_batch_ = bench.batches_.back();
  std::ranges::sort(bench.batches_);
  return bench;
}

ComputeLimit Bench::measure_limit() const {
  if (options_.device != "cpu") return {};
  auto inputs = ramp_inputs(model_.backend->signature(), limit_batch_, length_);
  if (!inputs) return {};
  const double operations =
      count_operations(*model_.backend, *inputs).value_or(0) / static_cast<double>(limit_batch_);
  if (operations <= 0) return {};
  std::vector<double> peaks(engine_.threads.workers);
  std::vector<std::thread> threads;
  for (double& peak : peaks) {
    threads.emplace_back([&] {
      model_.backend->bind_worker_thread();
      peak = measure_peak(model_.manifest.precision, options_.seconds).value_or(0);
    });
  }
  for (auto& thread : threads) thread.join();
  return {operations, std::accumulate(peaks.begin(), peaks.end(), 0.0)};
}

Result<BenchRow> Bench::measure_forward(std::size_t batch) const {
  const std::size_t workers = engine_.threads.workers;
  auto row = measure(*model_.backend, workers, batch, length_, options_.seconds);
  if (row && workers > 1) {
    auto alone = measure(*model_.backend, 1, batch, length_, options_.seconds / 2);
    if (!alone) return alone;
    row->alone_ms = alone->mean_ms;
  }
  return row;
}

/// Each request's thread measures its own CPU time, because subtracting from the CPU time of the process is
/// ten times less accurate on a machine whose speed drifts. The number of clients keeps all workers busy.
Result<double> Bench::measure_prepare(const std::string& sample) const {
  auto engine = Engine::create(model_, engine_);
  if (!engine) return Unexpected(engine.error());
  const auto shared = std::make_shared<Engine>(*std::move(engine));
  auto request = sample_request(shared, sample);
  if (!request) return Unexpected(request.error());
  std::atomic<std::int64_t> used_ns{0};
  std::atomic<std::int64_t> count{0};
  const SampleRequest timed = [&]() -> Result<void> {
    const std::int64_t before = thread_cpu_ns();
    auto done = (*request)();
    used_ns += thread_cpu_ns() - before;
    ++count;
    return done;
  };
  const std::size_t clients =
      std::min(engine_.max_inflight, 2 * engine_.threads.workers * engine_.batch.max_batch_size);
  if (auto done = closed_loop(timed, clients, options_.seconds, {}); !done) return Unexpected(done.error());
  Duration batching{};
  std::uint64_t samples = 0;
  for (const BatchTimes& times : shared->batch_times()) {
    batching += times.collate + times.split;
    samples += times.batch_size * times.count;
  }
  return static_cast<double>(used_ns) / static_cast<double>(count) / 1e6 +
         std::chrono::duration<double, std::milli>(batching).count() / static_cast<double>(samples);
}

}  // namespace infer::inline v0::tools
