#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "commands.h"
#include "engine/json_writer.h"
#include "infer/engine/tuned.h"
#include "infer/machine/cpu.h"
#include "infer/tools/objective.h"
#include "infer/tools/sample_request.h"
#include "infer/tools/search.h"
#include "infer/tools/tune.h"
#include "interrupt.h"
#include "model_argument.h"
#include "plot.h"
#include "printable.h"
#include "process.h"
#include "tuned_place.h"

namespace infer::cli {
namespace {

using tools::Trial;

struct Arguments {
  std::string model;
  std::string sample;
  std::string slo;
  std::string time = "60";
  std::size_t clients = 30;
  std::string plot;
  bool json = false;
};

/// Parses "60s" or "2m" into seconds. Errors: `kInvalidArgument`.
Result<double> parse_time(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const std::string unit = end;
  const double factor = unit == "s" || unit.empty() ? 1 : unit == "m" ? 60 : 0;
  if (end == text.c_str() || factor == 0 || !(value * factor >= 1 && value * factor <= 36'000))
    return fail(ErrorCode::kInvalidArgument, "--seconds: '" + text + "' is not a time from 1s to 600m");
  return value * factor;
}

std::string text(const Trial& trial, const tools::TuneReport& report) {
  std::array<char, 160> line{};
  const tools::Candidate& c = trial.candidate;
  std::snprintf(line.data(), line.size(), " %7zu %8zu %6zu %8.1f ms %11.1f %10.1f ms", c.workers,
                c.intra_op_threads, c.max_batch_size, c.max_queue_delay_ms, trial.per_second,
                trial.p95 * 1e3);
  return "  " + printable_column(c.version, 10) + ' ' + printable_column(report.precision.at(c.version), 9) +
         line.data();
}

void write(JsonWriter& json, const Trial& trial, const tools::TuneReport& report) {
  const tools::Candidate& c = trial.candidate;
  json.begin_object().key("version").value(c.version).key("precision").value(report.precision.at(c.version));
  json.key("workers").value(c.workers).key("intra_op_threads").value(c.intra_op_threads);
  json.key("max_batch_size").value(c.max_batch_size).key("max_queue_delay_ms").value(c.max_queue_delay_ms);
  json.key("samples_per_second").value(trial.per_second).key("p95_ms").value(trial.p95 * 1e3).end_object();
}

Plot picture(const std::vector<Trial>& trials, const std::vector<Trial>& best, const std::string& model) {
  Plot plot{.title = model, .x_label = "samples per second", .y_label = "p95, milliseconds"};
  std::map<std::string, Plot::Series> by_version;
  for (const Trial& trial : trials) {
    Plot::Series& series = by_version[trial.candidate.version];
    series.name = "version " + trial.candidate.version;
    series.line = false;
    series.points.emplace_back(trial.per_second, trial.p95 * 1e3);
    const tools::Candidate& c = trial.candidate;
    series.labels.push_back(std::to_string(c.workers) + "x" + std::to_string(c.intra_op_threads) + " b" +
                            std::to_string(c.max_batch_size));
  }
  for (auto& [version, series] : by_version) plot.series.push_back(std::move(series));
  Plot::Series edge{"front", {}};
  for (const Trial& trial : best) edge.points.emplace_back(trial.per_second, trial.p95 * 1e3);
  plot.series.push_back(std::move(edge));
  return plot;
}

int run(const Arguments& arguments) {
  const auto give_up = [](const Error& error) {
    std::cerr << "infer tune: " << printable(error.message) << '\n';
    return error.code == ErrorCode::kCancelled ? Interrupt::kExitCode : 1;
  };
  tools::TuneOptions options;
  auto seconds = parse_time(arguments.time);
  if (!seconds) return give_up(seconds.error());
  options.search.seconds = *seconds;
  if (!arguments.slo.empty()) {
    auto objective = tools::Objective::parse(arguments.slo);
    if (!objective) return give_up(objective.error());
    if (objective->fraction != 0.95)
      return give_up({ErrorCode::kInvalidArgument, "--slo: only p95 is supported", {}});
    options.search.p95 = objective->seconds;
  }
  if (!arguments.sample.empty()) {
    auto read = tools::read_sample(arguments.sample);
    if (!read) return give_up(read.error());
    options.sample = *std::move(read);
  }
  const Interrupt interrupt;
  prepare_process(1);
  options.model = arguments.model;
  options.clients = arguments.clients;
  options.progress = [](const std::string& version, std::size_t candidates, double time) {
    std::cerr << "version " << printable(version) << ": " << candidates << " settings, about " << time
              << " s\n";
  };
  const auto report = tools::tune_model(options, interrupt.token());
  if (!report) return give_up(report.error());
  const auto best = tools::front(report->trials);
  const std::filesystem::path file = adapter::tuned_place(arguments.model);
  if (arguments.json) {
    JsonWriter json;
    json.begin_object()
        .key("cpu")
        .value(read_cpu_info().name)
        .key("usable_cores")
        .value(report->usable_cores);
    json.key("clients").value(arguments.clients).key("tuned").begin_object();
    for (const auto& [version, trial] : report->chosen) write(json.key(version), trial, *report);
    json.end_object().key("front").begin_array();
    for (const Trial& trial : best) write(json, trial, *report);
    json.end_array().key("trials").begin_array();
    for (const Trial& trial : report->trials) write(json, trial, *report);
    std::cout << json.end_array().end_object().text() << '\n';
  } else {
    constexpr const char* kHead =
        "  version    precision workers  threads  batch       delay  per second         p95\n";
    std::cout << printable(read_cpu_info().name) << ", " << report->usable_cores << " cores, "
              << arguments.clients << " clients\nbest trade-offs between throughput and p95:\n"
              << kHead;
    for (const Trial& trial : best) std::cout << text(trial, *report) << '\n';
    std::cout << "chosen:\n" << kHead;
    for (const auto& [version, trial] : report->chosen) std::cout << text(trial, *report) << '\n';
    std::cout << "written to " << printable(file.string()) << "; to serve with these settings: infer serve "
              << shell_path(arguments.model) << " --tune auto\n";
    if (report->fastest != report->versions.front()) {
      std::cout << "version " << printable(report->fastest)
                << " is the fastest; to serve this version: infer promote " << shell_path(arguments.model)
                << ' ' << shell_path(report->fastest) << '\n';
    }
  }
  if (auto written = write_tuned(file, tools::tuned_settings(report->chosen)); !written)
    return give_up(written.error());
  if (!arguments.plot.empty() && !write_svg(arguments.plot, picture(report->trials, best, arguments.model)))
    return give_up({ErrorCode::kInternal, "--plot: " + arguments.plot + ": cannot be written", {}});
  return 0;
}

}  // namespace

void add_tune_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* tune = app.add_subcommand("tune", "Find the settings that serve a model best on this machine.");
  add_model_argument(*tune, arguments->model);
  tune->add_option("--sample", arguments->sample,
                   "Photograph or file of text that clients send, so that the time to read it counts.")
      ->type_name("FILE");
  tune->add_option("--slo", arguments->slo,
                   "Consider only settings that keep this objective, such as p95=200ms.")
      ->type_name("p95=TIME");
  tune->add_option("--seconds", arguments->time,
                   "Time for all measurements together, in seconds; 5m: 5 minutes.")
      ->capture_default_str()
      ->type_name("TIME");
  tune->add_option("--time", arguments->time)->group("");  // the former name
  tune->add_option("--clients", arguments->clients, "Number of requests in progress at a time.")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  tune->add_option("--plot", arguments->plot, "Write a picture of throughput against p95 to FILE, as SVG.")
      ->type_name("FILE");
  tune->add_flag("--json", arguments->json, "Print all measurements as JSON.");
  tune->footer(
      "The search tries workers, intra-op threads and max_batch_size, then max_queue_delay_ms, by successive "
      "halving.\n"
      "It tries the served version and the versions with the same weights in another precision. Nothing else "
      "should run\n"
      "meanwhile. The present settings win unless others are 2 % better. The model's infer.json is not "
      "changed.\n\n"
      "Examples:\n"
      "  infer tune models/clip-vit-b-32 --sample photo.jpg\n"
      "  infer tune models/clip-vit-b-32 --sample photo.jpg --slo p95=200ms --clients 8 --seconds 2m --plot "
      "front.svg");
  tune->callback([arguments, &action] {
    require_model(arguments->model);
    action = [arguments] { return run(*arguments); };
  });
}

}  // namespace infer::cli
