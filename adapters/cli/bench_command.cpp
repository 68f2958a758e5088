#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "commands.h"
#include "infer/core/thread_plan.h"
#include "infer/engine/machine_limit.h"
#include "infer/engine/model.h"
#include "infer/engine/open.h"
#include "json_writer.h"
#include "model_argument.h"
#include "printable.h"
#include "process.h"
#include "sample_request.h"
#include "tune/closed_loop.h"

namespace infer::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct Arguments {
  std::string model = "models/clip-vit-b-32";
  std::string device = "cpu";
  std::vector<std::size_t> batches;
  double seconds = 2;
  std::size_t length = 0;  // 0: the model's longest
  std::string sample;
  bool json = false;
};

struct Row {
  std::size_t batch = 0;
  double mean_ms = 0;
  double per_second = 0;
  double alone_ms = 0;
};

/// How near a forward comes to what the machine can do. Zeros where that is not known.
struct Limit {
  double operations = 0;  // of a sample
  double peak = 0;        // operations per second, of all workers
};

/// Large products on as many threads as the engine has.
Limit measure_limit(const Model& model, const ThreadPlan& plan, std::size_t batch, std::size_t length,
                    double seconds) {
  auto inputs = ramp_inputs(model.backend->signature(), batch, length);
  if (!inputs) return {};
  const double operations =
      count_operations(*model.backend, *inputs).value_or(0) / static_cast<double>(batch);
  if (operations <= 0) return {};
  std::vector<double> peaks(plan.workers);
  std::vector<std::thread> threads;
  for (double& peak : peaks) {
    threads.emplace_back([&] {
      model.backend->bind_worker_thread();
      peak = measure_peak(model.manifest.precision, seconds).value_or(0);
    });
  }
  for (auto& thread : threads) thread.join();
  return {operations, std::accumulate(peaks.begin(), peaks.end(), 0.0)};
}

/// `workers` threads run forward side by side, as an engine's do.
Result<Row> measure(const Backend& backend, std::size_t workers, std::size_t batch, std::size_t length,
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
  // The mean, since it is what capacity comes from; a median leaves the slow ones out.
  const double mean_ms = total / static_cast<double>(runs) * 1e3;
  return Row{batch, mean_ms, per_second, mean_ms};
}

/// CPU nanoseconds of the calling thread.
std::int64_t thread_cpu_ns() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::int64_t{1'000'000'000} * used.tv_sec + used.tv_nsec;
}

/// Milliseconds of CPU that a request with what a client sends takes besides its share of a forward: reading
/// it on its own thread, its part in making a batch and taking it apart. From as many clients as keep the
/// workers busy. Not as the difference to all that the process used, in which a machine whose speed drifts
/// hides ten times as much.
Result<double> measure_prepare(const Model& model, const EngineOptions& options, const std::string& file,
                               double seconds) {
  auto sample = read_sample(file);
  if (!sample) return Unexpected(sample.error());
  auto engine = Engine::create(model, options);
  if (!engine) return Unexpected(engine.error());
  const auto shared = std::make_shared<Engine>(*std::move(engine));
  auto request = sample_request(shared, *sample);
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
      std::min(options.max_inflight, 2 * options.threads.workers * options.batch.max_batch_size);
  if (auto done = closed_loop(timed, clients, seconds, {}); !done) return Unexpected(done.error());
  Duration batching{};
  std::uint64_t samples = 0;
  for (const BatchTimes& times : shared->batch_times()) {
    batching += times.collate + times.split;
    samples += times.batch_size * times.count;
  }
  return static_cast<double>(used_ns) / static_cast<double>(count) / 1e6 +
         std::chrono::duration<double, std::milli>(batching).count() / static_cast<double>(samples);
}

/// How long a free dimension is: as asked, else the longest that the model pads to, since such requests cost
/// most.
Result<std::size_t> choose_length(const Arguments& arguments, const Model& model,
                                  const EngineOptions& options) {
  if (model.backend->signature().is_static()) {
    if (arguments.length == 0) return std::size_t{1};
    return fail(ErrorCode::kInvalidArgument, "--length: every input of " + model.name + " has a fixed shape");
  }
  if (arguments.length > 0) return arguments.length;
  if (options.allowed_lengths.empty()) {
    return fail(ErrorCode::kFailedPrecondition,
                model.name +
                    ": its inputs have free dimensions, and its infer.json gives no allowed_lengths: say "
                    "with --length N how long those of its clients are");
  }
  return std::ranges::max(options.allowed_lengths);
}

/// The batch sizes that the engine runs at this length.
std::vector<std::size_t> choose_batches(const BatchOptions& batch, std::size_t length) {
  std::vector<std::size_t> sizes = batch.allowed_batch_sizes;
  if (sizes.empty()) {  // any is allowed
    for (std::size_t size = 1; size <= batch.max_batch_size; size *= 2) sizes.push_back(size);
  }
  std::erase_if(sizes, [&](std::size_t size) {
    return size > 1 && batch.max_batch_cost > 0 && size * length > batch.max_batch_cost;
  });
  return sizes;
}

int run(const Arguments& arguments) {
  const auto give_up = [](const Error& error) {
    std::cerr << "infer bench: " << printable(error.message) << '\n';
    return 1;
  };
  prepare_process(1);
  OpenOptions wanted;
  wanted.device = arguments.device;
  wanted.max_wait = std::chrono::milliseconds(0);
  auto manifest = read_manifest(arguments.model, choose_version(arguments.model).value_or(""));
  if (!manifest) return give_up(manifest.error());
  auto options = engine_options(*manifest, wanted, usable_cores(read_cpu_limits(), affinity_cores()));
  if (!options) return give_up(options.error());
  auto model = load_model(arguments.model, {arguments.device, options->threads.intra_op_threads});
  if (!model) return give_up(model.error());
  const auto length = choose_length(arguments, *model, *options);
  if (!length) return give_up(length.error());
  const bool of_any_length = !model->backend->signature().is_static();
  auto batches = choose_batches(options->batch, *length);
  const std::size_t max_batch_size =
      of_any_length ? std::ranges::max(batches) : options->batch.max_batch_size;  // what the cost leaves
  if (!arguments.batches.empty()) batches = arguments.batches;
  const ThreadPlan& plan = options->threads;
  adapter::JsonWriter json;
  json.begin_object().key("model").value(model->name).key("model_version").value(model->version);
  json.key("device").value(arguments.device).key("workers").value(plan.workers);
  json.key("intra_op_threads").value(plan.intra_op_threads);
  if (of_any_length) json.key("length").value(*length);
  json.key("max_batch_size").value(max_batch_size);
  json.key("max_queue_size").value(options->batch.max_queue_size);
  json.key("max_queue_delay_ms").value(static_cast<double>(options->batch.max_queue_delay.count()) / 1e3);
  const Limit limit = arguments.device == "cpu"
                          ? measure_limit(*model, plan, batches.back(), *length, arguments.seconds)
                          : Limit{};
  json.key("operations_per_sample")
      .value(limit.operations)
      .key("peak_operations_per_second")
      .value(limit.peak);
  json.key("batches").begin_array();
  if (!arguments.json) {
    std::cout << printable(model->name) << ", " << printable(arguments.device) << ", " << plan.workers
              << " workers of " << plan.intra_op_threads << " threads"
              << (of_any_length ? ", inputs of length " + std::to_string(*length) : "") << '\n';
    if (limit.peak > 0)
      std::cout << limit.operations / 1e9
                << " GOP a sample; a large product of this precision: " << limit.peak / 1e9 << " GOP/s\n";
    std::cout << "  batch   forward (mean)     alone             samples per second   of the large product\n";
  }
  std::ranges::sort(batches);
  for (const std::size_t batch : batches) {
    auto row = measure(*model->backend, plan.workers, batch, *length, arguments.seconds);
    if (row && plan.workers > 1) {
      auto alone = measure(*model->backend, 1, batch, *length, arguments.seconds / 2);
      if (!alone) return give_up(alone.error());
      row->alone_ms = alone->mean_ms;
    }
    if (!row) return give_up(row.error());
    json.begin_object().key("batch").value(row->batch).key("forward_ms").value(row->mean_ms);
    json.key("alone_ms").value(row->alone_ms);
    const double of_peak = limit.peak > 0 ? row->per_second * limit.operations / limit.peak : 0;
    json.key("samples_per_second").value(row->per_second).key("of_peak").value(of_peak).end_object();
    if (!arguments.json) {
      std::array<char, 100> line{};
      std::snprintf(line.data(), line.size(), "  %5zu   %13.2f ms   %12.2f ms   %18.1f   ", row->batch,
                    row->mean_ms, row->alone_ms, row->per_second);
      std::string of_limit = "-";
      if (limit.peak > 0) of_limit = std::to_string(static_cast<int>(100 * of_peak + 0.5)) + " %";
      std::cout << line.data() << of_limit << std::endl;
    }
  }
  double prepare_ms = 0;
  if (!arguments.sample.empty()) {
    auto measured = measure_prepare(*model, *options, arguments.sample, arguments.seconds);
    if (!measured) return give_up(measured.error());
    prepare_ms = *measured;
  }
  json.end_array().key("prepare_ms").value(prepare_ms);
  if (!arguments.json && !arguments.sample.empty())
    std::cout << "  a request besides its forward: " << prepare_ms << " ms of CPU\n";
  if (arguments.json) std::cout << json.end_object().text() << '\n';
  return 0;
}

}  // namespace

void add_bench_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* bench = app.add_subcommand("bench", "Time a model's forward at several batch sizes.");
  add_model_argument(*bench, arguments->model, "INFER_MODEL");
  bench->add_option("--device", arguments->device, "Device that runs the model: cpu or cuda:N.")
      ->type_name("NAME")
      ->capture_default_str()
      ->envname("INFER_DEVICE");
  bench
      ->add_option("--batch", arguments->batches,
                   "Batch sizes, such as 1,2,4. If not given: those of the model.")
      ->delimiter(',')
      ->check(CLI::Range(1, 4096))
      ->type_name("N,…");
  bench
      ->add_option("--length", arguments->length,
                   "Length of inputs of any length, such as a number of tokens. If not given: the longest of "
                   "the model's "
                   "allowed_lengths.")
      ->check(CLI::Range(1, 1000000));
  bench->add_option("--seconds", arguments->seconds, "Time to measure each batch size, in seconds.")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  bench
      ->add_option("--sample", arguments->sample,
                   "Photograph or file of text that clients send: measure the rest of such a request too.")
      ->type_name("FILE");
  bench->add_flag("--json", arguments->json, "Print the table as JSON.");
  bench->footer(
      "Examples:\n"
      "  infer bench models/clip-vit-b-32 --batch 1,8,16\n"
      "  infer bench models/minilm --length 32\n"
      "  infer bench models/clip-vit-b-32 --sample photo.jpg --json > curve.json   # for infer plan");
  bench->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace infer::cli
