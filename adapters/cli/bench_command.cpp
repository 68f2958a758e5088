#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "commands.h"
#include "infer/core/thread_plan.h"
#include "infer/engine/model.h"
#include "infer/engine/open.h"
#include "json_writer.h"
#include "process.h"

namespace infer::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct Arguments {
  std::string model = "models/clip-vit-b-32";
  std::string device = "cpu";
  std::vector<std::size_t> batches;
  double seconds = 2;
  bool json = false;
};

struct Row {
  std::size_t batch = 0;
  double median_ms = 0;
  double per_second = 0;
};

/// Inputs of a batch, filled with a ramp: values do not change how long a forward takes.
Result<std::vector<Tensor>> make_inputs(const ModelSignature& signature, std::size_t batch) {
  std::vector<Tensor> inputs;
  for (const TensorSpec& spec : signature.inputs) {
    auto tensor = Tensor::allocate(spec.dtype, spec.shape.with_batch(static_cast<std::int64_t>(batch)));
    if (!tensor) return Unexpected(tensor.error());
    std::fill_n(tensor->data(), tensor->bytes(), std::byte{0});
    if (spec.dtype == DType::kFp32) {
      auto values = tensor->as<float>();
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 255) / 255.0F - 0.5F;
    }
    inputs.push_back(*std::move(tensor));
  }
  return inputs;
}

/// `workers` threads run forward side by side, as an engine's do.
Result<Row> measure(const Backend& backend, const ThreadPlan& plan, std::size_t batch, double seconds) {
  auto inputs = make_inputs(backend.signature(), batch);
  if (!inputs) return Unexpected(inputs.error());
  std::vector<std::vector<double>> times(plan.workers);
  std::vector<Error> errors(plan.workers);
  std::vector<std::thread> threads;
  const auto start = Clock::now();
  for (std::size_t i = 0; i < plan.workers; ++i) {
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
  std::vector<double> all;
  double per_second = 0;
  for (std::size_t i = 0; i < plan.workers; ++i) {
    if (!errors[i].message.empty()) return Unexpected(errors[i]);
    double sum = 0;
    for (const double time : times[i]) sum += time;
    per_second += static_cast<double>(batch * times[i].size()) / sum;
    all.insert(all.end(), times[i].begin(), times[i].end());
  }
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  std::nth_element(all.begin(), middle, all.end());
  return Row{batch, *middle * 1e3, per_second};
}

int run(const Arguments& arguments) {
  const auto give_up = [](const Error& error) {
    std::cerr << "infer bench: " << error.message << '\n';
    return 1;
  };
  prepare_process(1);
  OpenOptions wanted;
  wanted.device = arguments.device;
  auto manifest = read_manifest(arguments.model, choose_version(arguments.model).value_or(""));
  if (!manifest) return give_up(manifest.error());
  auto options = engine_options(*manifest, wanted, usable_cores(read_cpu_limits(), affinity_cores()));
  if (!options) return give_up(options.error());
  auto model = load_model(arguments.model, {arguments.device, options->threads.intra_op_threads});
  if (!model) return give_up(model.error());
  const ModelSignature& signature = model->backend->signature();
  if (!signature.is_static()) {
    return give_up({ErrorCode::kFailedPrecondition,
                    arguments.model + ": infer.json gives no fixed shapes to measure with",
                    {}});
  }
  auto batches = arguments.batches.empty() ? options->batch.allowed_batch_sizes : arguments.batches;
  const ThreadPlan& plan = options->threads;
  adapter::JsonWriter json;
  json.begin_object().key("model").value(model->name).key("model_version").value(model->version);
  json.key("device").value(arguments.device).key("workers").value(plan.workers);
  json.key("intra_op_threads").value(plan.intra_op_threads).key("batches").begin_array();
  if (!arguments.json) {
    std::cout << model->name << ", " << arguments.device << ", " << plan.workers << " workers of "
              << plan.intra_op_threads << " threads\n  batch   forward (median)   samples per second\n";
  }
  for (const std::size_t batch : batches) {
    auto row = measure(*model->backend, plan, batch, arguments.seconds);
    if (!row) return give_up(row.error());
    json.begin_object().key("batch").value(row->batch).key("forward_ms").value(row->median_ms);
    json.key("samples_per_second").value(row->per_second).end_object();
    if (!arguments.json) {
      std::array<char, 80> line{};
      std::snprintf(line.data(), line.size(), "  %5zu   %13.2f ms   %18.1f", row->batch, row->median_ms,
                    row->per_second);
      std::cout << line.data() << std::endl;
    }
  }
  if (arguments.json) std::cout << json.end_array().end_object().text() << '\n';
  return 0;
}

}  // namespace

void add_bench_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* bench = app.add_subcommand("bench", "Time a model's forward at several batch sizes");
  bench->add_option("--model", arguments->model, "Model folder")
      ->capture_default_str()
      ->envname("INFER_MODEL");
  bench->add_option("--device", arguments->device, "cpu or cuda:N")
      ->capture_default_str()
      ->envname("INFER_DEVICE");
  bench->add_option("--batch", arguments->batches, "Batch sizes, e.g. 1,2,4; the model's own if not given")
      ->delimiter(',')
      ->check(CLI::Range(1, 4096))
      ->type_name("N,…");
  bench->add_option("--seconds", arguments->seconds, "For each batch size")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  bench->add_flag("--json", arguments->json, "Print the table as JSON");
  bench->footer("Example: infer bench --model models/clip-vit-b-32 --batch 1,8,16");
  bench->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace infer::cli
