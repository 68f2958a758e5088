#include <array>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

#include "commands.h"
#include "engine/json_writer.h"
#include "infer/core/thread_plan.h"
#include "infer/tools/bench.h"
#include "infer/tools/sample_request.h"
#include "model_argument.h"
#include "printable.h"
#include "process.h"

namespace infer::cli {
namespace {

struct Arguments : tools::BenchOptions {
  Arguments() { model = "models/clip-vit-b-32"; }
  std::string sample;
  bool json = false;
};

int run(const Arguments& arguments) {
  const auto give_up = [](const Error& error) {
    std::cerr << "infer bench: " << printable(error.message) << '\n';
    return 1;
  };
  prepare_process(1);
  const auto bench = tools::Bench::open(arguments);
  if (!bench) return give_up(bench.error());
  const std::string& device = arguments.device;
  const Model& model = bench->model();
  const ThreadPlan& plan = bench->engine().threads;
  const BatchOptions& policy = bench->engine().batch;
  JsonWriter json;
  json.begin_object().key("model").value(model.name).key("model_version").value(model.version);
  json.key("device").value(device).key("workers").value(plan.workers);
  json.key("intra_op_threads").value(plan.intra_op_threads);
  if (bench->has_free_dimensions()) json.key("length").value(bench->length());
  json.key("max_batch_size").value(bench->max_batch_size());
  json.key("max_queue_size").value(policy.max_queue_size);
  json.key("max_queue_delay_ms").value(static_cast<double>(policy.max_queue_delay.count()) / 1e3);
  const tools::ComputeLimit limit = bench->measure_limit();
  json.key("operations_per_sample")
      .value(limit.operations)
      .key("peak_operations_per_second")
      .value(limit.peak);
  json.key("batches").begin_array();
  if (!arguments.json) {
    std::cout << printable(model.name) << ", " << printable(device) << ", " << plan.workers << " workers of "
              << plan.intra_op_threads << " threads"
              << (bench->has_free_dimensions() ? ", inputs of length " + std::to_string(bench->length()) : "")
              << '\n';
    if (limit.peak > 0)
      std::cout << limit.operations / 1e9
                << " GOP per sample; a large matrix product in this precision reaches " << limit.peak / 1e9
                << " GOP/s\n";
    std::cout << "  batch   forward (mean)     alone             samples per second   of the large product\n";
  }
  for (const std::size_t batch : bench->batches()) {
    const auto row = bench->measure_forward(batch);
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
    const auto sample = tools::read_sample(arguments.sample);
    if (!sample) return give_up(sample.error());
    const auto measured = bench->measure_prepare(*sample);
    if (!measured) return give_up(measured.error());
    prepare_ms = *measured;
  }
  json.end_array().key("prepare_ms").value(prepare_ms);
  if (!arguments.json && !arguments.sample.empty())
    std::cout << "  rest of a request (everything but the forward): " << prepare_ms << " ms of CPU time\n";
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
