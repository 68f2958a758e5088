#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arrival_flags.h"
#include "commands.h"
#include "engine/json_writer.h"
#include "infer/engine/engine.h"
#include "infer/tools/plan.h"
#include "infer/tools/read_curve.h"
#include "plot.h"
#include "printable.h"

namespace infer::cli {
namespace {

struct Arguments {
  std::string curve;
  tools::ArrivalOptions arrivals{.seconds = 300, .poisson = false};
  std::size_t replicas = 1;
  double cores = 0;
  std::size_t max_inflight = 64;
  std::int64_t max_wait_ms = EngineOptions{}.max_wait.count();
  std::optional<std::size_t> max_batch_size;
  std::optional<double> max_queue_delay_ms;
  std::string hpa;
  double cpu_request = 1;
  double start_seconds = 5;
  std::string slo;
  std::string plot;
  bool json = false;
};

constexpr std::array<std::pair<const char*, double>, 3> kPercentiles{
    {{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}}};

void write_json(JsonWriter& json, const tools::PlannedService& row, bool has_objective) {
  const tools::Prediction& seen = row.prediction;
  json.begin_object().key("for").value(row.name).key("answered").value(seen.answered);
  json.key("refused").value(seen.refused).key("drop_rate").value(seen.drop_rate());
  json.key("per_second")
      .value(static_cast<double>(seen.answered) / seen.seconds)
      .key("latency_ms")
      .begin_object();
  for (const auto& [name, fraction] : kPercentiles)
    json.key(name).value(seen.times.percentile(fraction) * 1e3);
  json.end_object().key("utilization").value(seen.utilization).key("replicas").begin_array();
  for (const auto& [time, count] : seen.replicas) json.begin_array().value(time).value(count).end_array();
  json.end_array();
  if (has_objective) json.key("keeps_slo").value(row.kept);
  json.end_object();
}

std::string line(const tools::PlannedService& row, bool has_objective) {
  const tools::Prediction& seen = row.prediction;
  std::array<char, 160> text{};
  std::snprintf(text.data(), text.size(), "  %-16s %10.1f  %8.1f %8.1f %8.1f  %8.3f %%  %5zu  %9.0f %%  %s",
                row.name.c_str(), static_cast<double>(seen.answered) / seen.seconds,
                seen.times.percentile(0.5) * 1e3, seen.times.percentile(0.95) * 1e3,
                seen.times.percentile(0.99) * 1e3, seen.drop_rate() * 100, row.most_replicas,
                seen.utilization * 100,
                !has_objective ? ""
                : row.kept     ? "yes"
                               : "no");
  return text.data();
}

Plot picture(const std::vector<tools::PlannedService>& rows) {
  Plot plot{.title = "Ready replicas", .x_label = "seconds", .y_label = "replicas"};
  for (const tools::PlannedService& row : rows) {
    Plot::Series series{row.name, {}};
    std::size_t last = 0;
    for (const auto& [time, count] : row.prediction.replicas) {
      if (!series.points.empty()) series.points.emplace_back(time, static_cast<double>(last));
      series.points.emplace_back(time, static_cast<double>(count));
      last = count;
    }
    series.points.emplace_back(row.prediction.seconds, static_cast<double>(last));
    plot.series.push_back(std::move(series));
  }
  return plot;
}

int run(const Arguments& arguments) {
  const auto give_up = [](const Error& error) {
    std::cerr << "infer plan: " << printable(error.message) << '\n';
    return 1;
  };
  auto model = tools::read_curve(arguments.curve);
  if (!model) return give_up(model.error());
  auto arrivals = tools::Arrivals::create(arguments.arrivals);
  if (!arrivals) return give_up(arrivals.error());
  std::optional<tools::Objective> objective;
  if (!arguments.slo.empty()) {
    auto parsed = tools::Objective::parse(arguments.slo);
    if (!parsed) return give_up(parsed.error());
    objective = *parsed;
  }
  tools::SimulationOptions options;
  options.replica = {model->batch, arguments.max_inflight, std::chrono::milliseconds(arguments.max_wait_ms),
                     arguments.cores, model->curve};
  if (arguments.cores == 0)
    options.replica.cores = static_cast<double>(model->curve.workers * model->curve.intra_op_threads);
  BatchOptions& batch = options.replica.batch;
  if (arguments.max_batch_size) {
    batch.max_batch_size = *arguments.max_batch_size;
    std::erase_if(batch.allowed_batch_sizes, [&](std::size_t size) { return size > batch.max_batch_size; });
  }
  if (arguments.max_queue_delay_ms)
    batch.max_queue_delay = std::chrono::microseconds(std::llround(*arguments.max_queue_delay_ms * 1e3));
  if (auto valid = validate(batch); !valid) return give_up(valid.error());
  options.replicas = arguments.replicas;
  options.requested_cores = arguments.cpu_request;
  options.start_seconds = arguments.start_seconds;
  if (!arguments.hpa.empty()) {
    auto autoscaler = tools::read_autoscaler(arguments.hpa);
    if (!autoscaler) return give_up(autoscaler.error());
    options.replicas = std::max(options.replicas, autoscaler->min_replicas);
    options.autoscaler = *std::move(autoscaler);
  }

  const auto rows = tools::plan_service(options, *arrivals, objective);
  const tools::PlannedService* best = objective ? tools::choose_service(rows) : nullptr;
  if (arguments.json) {
    JsonWriter json;
    json.begin_object().key("model").value(model->name).key("predictions").begin_array();
    for (const tools::PlannedService& row : rows) write_json(json, row, objective.has_value());
    json.end_array();
    if (objective && best != nullptr) json.key("choice").value(best->name);
    std::cout << json.end_object().text() << '\n';
  } else {
    std::cout << printable(model->name) << ", " << arrivals->mean_rate() << " requests a second for "
              << arrivals->seconds() << " s, servers of " << options.replica.cores << " cores and "
              << model->curve.workers
              << " workers\n  for              per second    p50 ms   p95 ms   p99 ms   refused     most  "
                 "utilized    "
              << (objective ? "  " + printable(arguments.slo) : "") << '\n';
    for (const tools::PlannedService& row : rows) std::cout << line(row, objective.has_value()) << '\n';
    if (objective && best != nullptr) std::cout << "choice: " << best->name << '\n';
  }
  if (!arguments.plot.empty() && !write_svg(arguments.plot, picture(rows)))
    return give_up({ErrorCode::kInternal, "--plot: " + arguments.plot + ": cannot be written", {}});
  if (objective && best == nullptr) {
    std::cerr << "infer plan: no configuration that was tried keeps " << printable(arguments.slo)
              << " without refusing requests\n";
    return 1;
  }
  return 0;
}

}  // namespace

void add_plan_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* plan =
      app.add_subcommand("plan", "Predict latency, refusals and replicas of a service before it runs.");
  plan->add_option("curve", arguments->curve,
                   "Output of infer bench --json, made on the kind of machine that will serve.")
      ->required()
      ->type_name("FILE");
  add_arrival_flags(*plan, arguments->arrivals);
  plan->add_option("--replicas", arguments->replicas, "Number of servers at the beginning.")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  plan->add_option("--cores", arguments->cores,
                   "Number of cores of each server. If not given: those of the measurement.")
      ->check(CLI::Range(0.1, 1024.0));
  plan->add_option("--max-inflight", arguments->max_inflight, "--max-inflight of infer serve.")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  plan->add_option("--max-wait-ms", arguments->max_wait_ms,
                   "--max-wait-ms of infer serve, in milliseconds. 0: no limit.")
      ->check(CLI::Range(0, 3'600'000))
      ->capture_default_str();
  plan->add_option("--max-batch-size", arguments->max_batch_size,
                   "--max-batch-size of infer serve. If not given: that of the measurement.")
      ->check(CLI::Range(1, 4096));
  plan->add_option(
          "--max-queue-delay-ms", arguments->max_queue_delay_ms,
          "max_queue_delay_ms of infer.json, in milliseconds. If not given: that of the measurement.")
      ->check(CLI::Range(0.0, 1e4));
  plan->add_option("--hpa", arguments->hpa,
                   "Output of kubectl get hpa NAME -o json: the autoscaler to simulate.")
      ->type_name("FILE");
  plan->add_option("--cpu-request", arguments->cpu_request,
                   "Cores that a pod requests. Utilization is a share of them.")
      ->check(CLI::Range(0.001, 1024.0))
      ->capture_default_str();
  plan->add_option("--start-seconds", arguments->start_seconds,
                   "Time from the autoscaler's decision to a ready pod, in seconds.")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  plan->add_option("--slo", arguments->slo,
                   "Objective such as p95=200ms. infer plan tries autoscaler targets or numbers of servers, "
                   "and chooses one.")
      ->type_name("pN=TIME");
  plan->add_option("--plot", arguments->plot, "Write a picture of the replicas over time to FILE, as SVG.")
      ->type_name("FILE");
  plan->add_flag("--json", arguments->json, "Print the predictions as JSON.");
  plan->footer(
      "The simulation covers the server's batch policy and admission, the sharing of cores, and the "
      "autoscaler's rule.\n"
      "It assumes one sample for each request, a load balancer that picks servers at random, metrics that "
      "are "
      "15 s old,\n"
      "and forwards that take as long as in the measurement. Networks and clients take no time.\n\n"
      "Examples:\n"
      "  infer bench models/clip-vit-b-32 --sample photo.jpg --json > curve.json\n"
      "  infer plan curve.json --qps 40 --poisson --slo p95=200ms\n"
      "  infer plan curve.json --trace load.csv --hpa hpa.json --cpu-request 0.5 --plot replicas.svg");
  plan->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace infer::cli
