#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "commands.h"
#include "infer/core/thread_plan.h"
#include "infer/engine/open.h"
#include "infer/engine/tuned.h"
#include "interrupt.h"
#include "json_writer.h"
#include "load/objective.h"
#include "model_argument.h"
#include "plot.h"
#include "printable.h"
#include "process.h"
#include "sample_request.h"
#include "tune/closed_loop.h"
#include "tune/search.h"
#include "tuned_place.h"

namespace infer::cli {
namespace {

struct Arguments {
  std::string model;
  std::string sample;
  std::string slo;
  std::string time = "60";
  std::size_t clients = 30;
  std::string plot;
  bool json = false;
};

/// "60s", "2m". Errors: `kInvalidArgument`.
Result<double> parse_time(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const std::string unit = end;
  const double factor = unit == "s" || unit.empty() ? 1 : unit == "m" ? 60 : 0;
  if (end == text.c_str() || factor == 0 || !(value * factor >= 1 && value * factor <= 36'000))
    return fail(ErrorCode::kInvalidArgument, "--seconds: '" + text + "' is not a time from 1s to 600m");
  return value * factor;
}

PartialSettings settings_of(const Candidate& candidate) {
  PartialSettings settings;
  settings.workers = candidate.workers;
  settings.intra_op_threads = candidate.intra_op_threads;
  settings.max_batch_size = candidate.max_batch_size;
  settings.max_queue_delay = std::chrono::microseconds(std::llround(candidate.max_queue_delay_ms * 1e3));
  return settings;
}

/// Opens engines on versions of one model and times them. What has been loaded stays.
class Bench {
 public:
  Bench(std::string directory, std::string sample, std::size_t clients, const Interrupt& interrupt)
      : directory_(std::move(directory)),
        sample_(std::move(sample)),
        clients_(clients),
        interrupt_(interrupt) {}

  Result<Trial> measure(const Candidate& candidate, double seconds) {
    OpenOptions wanted;
    static_cast<PartialSettings&>(wanted) = settings_of(candidate);
    wanted.version = candidate.version;
    wanted.max_queue_size = wanted.max_inflight = std::max<std::size_t>(64, 2 * clients_);
    wanted.max_wait = std::chrono::milliseconds(0);
    wanted.warmup = Warmup::kNone;  // the first fifth of a trial is left out
    auto manifest = read_manifest(directory_, candidate.version);
    if (!manifest) return Unexpected(manifest.error());
    auto options = engine_options(*manifest, wanted, usable_cores(read_cpu_limits(), affinity_cores()));
    if (!options) return Unexpected(options.error());
    auto model = load(candidate);
    if (!model) return Unexpected(model.error());
    auto engine = Engine::create(*std::move(model), *std::move(options));
    if (!engine) return Unexpected(engine.error());
    auto request = sample_request(std::make_shared<Engine>(*std::move(engine)), sample_);
    if (!request) return Unexpected(request.error());
    auto seen = closed_loop(*request, clients_, seconds, interrupt_.token());
    if (!seen) return Unexpected(seen.error());
    return Trial{candidate, seen->per_second, seen->p95};
  }

 private:
  Result<Model> load(const Candidate& candidate) {
    const std::pair key{candidate.version, candidate.intra_op_threads};
    if (const auto found = models_.find(key); found != models_.end()) return found->second;
    auto model = load_model(directory_, {"cpu", candidate.intra_op_threads, candidate.version});
    if (model) models_.emplace(key, *model);
    return model;
  }

  std::string directory_;
  std::string sample_;
  std::size_t clients_;
  const Interrupt& interrupt_;
  std::map<std::pair<std::string, std::size_t>, Model> models_;
};

std::string precision(const std::string& directory, const std::string& version) {
  const auto manifest = read_manifest(directory, version);
  return manifest ? manifest->precision : "";
}

/// The version that is served, and those that promise the same answers in another precision.
Result<std::vector<std::string>> versions_to_try(const std::string& directory) {
  auto first = choose_version(directory);
  if (!first) return Unexpected(first.error());
  auto manifest = read_manifest(directory, *first);
  if (!manifest) return Unexpected(manifest.error());
  std::vector<std::string> versions{*first};
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    if (name == *first || name == "tuned" || !entry.is_directory(error)) continue;
    const auto other = read_manifest(directory, name);
    if (!other) continue;
    if (other->same_weights_as == *first || manifest->same_weights_as == name) versions.push_back(name);
  }
  std::sort(versions.begin() + 1, versions.end());
  return versions;
}

/// What a version is served with now, then threads and batch sizes otherwise.
Result<std::vector<Candidate>> candidates(const std::string& directory, const std::string& version,
                                          std::size_t cores) {
  auto manifest = read_manifest(directory, version);
  if (!manifest) return Unexpected(manifest.error());
  auto usual = engine_options(*manifest, {}, cores);
  if (!usual) return Unexpected(usual.error());
  std::vector<Candidate> all{{version, usual->threads.workers, usual->threads.intra_op_threads,
                              usual->batch.max_batch_size,
                              static_cast<double>(usual->batch.max_queue_delay.count()) / 1e3}};
  std::set<std::size_t> batches{1, 2, 4, 8, 16, 32};
  batches.insert(all.front().max_batch_size);
  for (std::size_t intra = 1; intra <= cores; intra *= 2) {
    for (const std::size_t batch : batches) {
      const Candidate candidate{version, cores / intra, intra, batch, 0};
      if (std::ranges::find(all, candidate) == all.end()) all.push_back(candidate);
    }
  }
  return all;
}

std::string text(const Trial& trial, const std::string& of_precision) {
  std::array<char, 160> line{};
  const Candidate& c = trial.candidate;
  std::snprintf(line.data(), line.size(), " %7zu %8zu %6zu %8.1f ms %11.1f %10.1f ms", c.workers,
                c.intra_op_threads, c.max_batch_size, c.max_queue_delay_ms, trial.per_second,
                trial.p95 * 1e3);
  return "  " + printable_column(c.version, 10) + ' ' + printable_column(of_precision, 9) + line.data();
}

void write(adapter::JsonWriter& json, const Trial& trial, const std::string& of_precision) {
  const Candidate& c = trial.candidate;
  json.begin_object().key("version").value(c.version).key("precision").value(of_precision);
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
    const Candidate& c = trial.candidate;
    series.labels.push_back(std::to_string(c.workers) + "x" + std::to_string(c.intra_op_threads) + " b" +
                            std::to_string(c.max_batch_size));
  }
  for (auto& [version, series] : by_version) plot.series.push_back(std::move(series));
  Plot::Series edge{"front", {}};
  for (const Trial& trial : best) edge.points.emplace_back(trial.per_second, trial.p95 * 1e3);
  plot.series.push_back(std::move(edge));
  return plot;
}

/// Threads and batch size first, then whether waiting for company helps.
Result<std::vector<Trial>> tune(Bench& bench, std::vector<Candidate> all, SearchOptions options) {
  const Measure measure = [&](const Candidate& candidate, double seconds) {
    return bench.measure(candidate, seconds);
  };
  const double seconds = options.seconds;
  options.seconds = 0.75 * seconds;
  auto trials = successive_halving(std::move(all), options, measure);
  if (!trials) return trials;
  std::vector<Candidate> lingering;
  for (const double delay : {trials->front().candidate.max_queue_delay_ms, 1.0, 5.0}) {
    Candidate candidate = trials->front().candidate;
    candidate.max_queue_delay_ms = delay;
    if (std::ranges::find(lingering, candidate) == lingering.end()) lingering.push_back(candidate);
  }
  options.seconds = 0.25 * seconds;
  auto last = successive_halving(std::move(lingering), options, measure);
  if (!last) return last;
  for (const Trial& trial : *trials) {
    if (std::ranges::find(*last, trial.candidate, &Trial::candidate) == last->end()) last->push_back(trial);
  }
  return last;
}

int run(const Arguments& arguments) {
  const auto give_up = [](const Error& error) {
    std::cerr << "infer tune: " << printable(error.message) << '\n';
    return error.code == ErrorCode::kCancelled ? Interrupt::kExitCode : 1;
  };
  SearchOptions options;
  auto seconds = parse_time(arguments.time);
  if (!seconds) return give_up(seconds.error());
  if (!arguments.slo.empty()) {
    auto objective = Objective::parse(arguments.slo);
    if (!objective) return give_up(objective.error());
    if (objective->fraction != 0.95)
      return give_up({ErrorCode::kInvalidArgument, "--slo: only p95 is measured", {}});
    options.p95 = objective->seconds;
  }
  std::string sample;
  if (!arguments.sample.empty()) {
    auto read = read_sample(arguments.sample);
    if (!read) return give_up(read.error());
    sample = *std::move(read);
  }
  auto versions = versions_to_try(arguments.model);
  if (!versions) return give_up(versions.error());
  const Interrupt interrupt;
  prepare_process(1);
  const std::size_t cores = usable_cores(read_cpu_limits(), affinity_cores());
  options.seconds = *seconds / static_cast<double>(versions->size());

  Bench bench(arguments.model, sample, arguments.clients, interrupt);
  std::map<std::string, Trial> chosen;
  std::vector<Trial> trials;
  std::optional<Trial> fastest;
  for (const std::string& version : *versions) {
    auto all = candidates(arguments.model, version, cores);
    if (!all) return give_up(all.error());
    std::cerr << "version " << printable(version) << ": " << all->size() << " settings, about "
              << options.seconds << " s\n";
    auto found = tune(bench, *std::move(all), options);
    if (!found) return give_up(found.error());
    const Trial& best = found->front();
    chosen.emplace(version, best);
    if (!fastest || best.per_second > fastest->per_second) fastest = best;
    trials.insert(trials.end(), found->begin(), found->end());
  }
  const auto best = front(trials);
  const std::filesystem::path file = adapter::tuned_place(arguments.model);
  const auto of_precision = [&](const Trial& t) { return precision(arguments.model, t.candidate.version); };
  if (arguments.json) {
    adapter::JsonWriter json;
    json.begin_object().key("cpu").value(cpu_name()).key("usable_cores").value(cores);
    json.key("clients").value(arguments.clients).key("tuned").begin_object();
    for (const auto& [version, trial] : chosen) {
      json.key(version);
      write(json, trial, of_precision(trial));
    }
    json.end_object().key("front").begin_array();
    for (const Trial& trial : best) write(json, trial, of_precision(trial));
    json.end_array().key("trials").begin_array();
    for (const Trial& trial : trials) write(json, trial, of_precision(trial));
    std::cout << json.end_array().end_object().text() << '\n';
  } else {
    constexpr const char* kHead =
        "  version    precision workers  threads  batch       delay  per second         p95\n";
    std::cout << printable(cpu_name()) << ", " << cores << " cores, " << arguments.clients
              << " clients\nfront of throughput against p95:\n"
              << kHead;
    for (const Trial& trial : best) std::cout << text(trial, of_precision(trial)) << '\n';
    std::cout << "chosen:\n" << kHead;
    for (const auto& [version, trial] : chosen) std::cout << text(trial, of_precision(trial)) << '\n';
    std::cout << "written to " << printable(file.string()) << "; to serve with it: infer serve "
              << shell_path(arguments.model) << " --tune auto\n";
    if (chosen.size() > 1 && fastest->candidate.version != versions->front()) {
      std::cout << "version " << printable(fastest->candidate.version)
                << " is the fastest; to serve it: infer promote " << shell_path(arguments.model) << ' '
                << shell_path(fastest->candidate.version) << '\n';
    }
  }
  TunedVersions tuned;
  for (const auto& [version, trial] : chosen)
    tuned[version] = {settings_of(trial.candidate), trial.per_second, trial.p95 * 1e3};
  if (auto written = write_tuned(file, tuned); !written) return give_up(written.error());
  if (!arguments.plot.empty() && !write_svg(arguments.plot, picture(trials, best, arguments.model)))
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
  tune->add_option("--time", arguments->time)->group("");  // the earlier name
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
