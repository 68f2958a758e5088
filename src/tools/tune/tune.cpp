#include "infer/tools/tune.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "infer/engine/open.h"
#include "infer/machine/cpu.h"
#include "infer/tools/closed_loop.h"
#include "infer/tools/sample_request.h"

namespace infer::inline v0::tools {
namespace {

PartialSettings settings_of(const Candidate& candidate) {
  PartialSettings settings;
  settings.workers = candidate.workers;
  settings.intra_op_threads = candidate.intra_op_threads;
  settings.max_batch_size = candidate.max_batch_size;
  settings.max_queue_delay = std::chrono::microseconds(std::llround(candidate.max_queue_delay_ms * 1e3));
  return settings;
}

/// Opens engines for versions of one model and times them. Loaded models are kept.
class TrialBench {
 public:
  TrialBench(const TuneOptions& options, const std::stop_token& stop) : options_(options), stop_(stop) {}

  Result<Trial> measure(const Candidate& candidate, double seconds) {
    OpenOptions wanted;
    static_cast<PartialSettings&>(wanted) = settings_of(candidate);
    wanted.version = candidate.version;
    wanted.max_queue_size = wanted.max_inflight = std::max<std::size_t>(64, 2 * options_.clients);
    wanted.max_wait = std::chrono::milliseconds(0);
    wanted.warmup = Warmup::kNone;  // a trial ignores its first fifth
    auto manifest = read_manifest(options_.model, candidate.version);
    if (!manifest) return Unexpected(manifest.error());
    auto options = engine_options(*manifest, wanted, usable_cores());
    if (!options) return Unexpected(options.error());
    auto model = load(candidate);
    if (!model) return Unexpected(model.error());
    auto engine = Engine::create(*std::move(model), *std::move(options));
    if (!engine) return Unexpected(engine.error());
    auto request = sample_request(std::make_shared<Engine>(*std::move(engine)), options_.sample);
    if (!request) return Unexpected(request.error());
    auto seen = closed_loop(*request, options_.clients, seconds, stop_);
    if (!seen) return Unexpected(seen.error());
    return Trial{candidate, seen->per_second, seen->p95};
  }

 private:
  Result<Model> load(const Candidate& candidate) {
    const std::pair key{candidate.version, candidate.intra_op_threads};
    if (const auto found = models_.find(key); found != models_.end()) return found->second;
    auto model = load_model(options_.model, {"cpu", candidate.intra_op_threads, candidate.version});
    if (model) models_.emplace(key, *model);
    return model;
  }

  const TuneOptions& options_;
  const std::stop_token& stop_;
  std::map<std::pair<std::string, std::size_t>, Model> models_;
};

/// Returns the served version, and versions of the same weights in another precision.
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

/// Returns the current settings of a version, followed by other threads and batch sizes.
Result<std::vector<Candidate>> candidates(const Manifest& manifest, const std::string& version,
                                          std::size_t cores) {
  auto usual = engine_options(manifest, {}, cores);
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

/// Searches threads and batch size first, then the queue delay.
Result<std::vector<Trial>> tune_version(TrialBench& bench, std::vector<Candidate> all,
                                        SearchOptions options) {
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

}  // namespace

Result<TuneReport> tune_model(const TuneOptions& options, const std::stop_token& stop) {
  auto versions = versions_to_try(options.model);
  if (!versions) return Unexpected(versions.error());
  TuneReport report;
  report.versions = *std::move(versions);
  report.usable_cores = usable_cores();
  SearchOptions search = options.search;
  search.seconds /= static_cast<double>(report.versions.size());
  TrialBench bench(options, stop);
  for (const std::string& version : report.versions) {
    const auto manifest = read_manifest(options.model, version);
    if (!manifest) return Unexpected(manifest.error());
    report.precision[version] = manifest->precision;
    auto all = candidates(*manifest, version, report.usable_cores);
    if (!all) return Unexpected(all.error());
    if (options.progress) options.progress(version, all->size(), search.seconds);
    auto found = tune_version(bench, *std::move(all), search);
    if (!found) return Unexpected(found.error());
    const Trial& best = found->front();
    report.chosen[version] = best;
    if (report.fastest.empty() || best.per_second > report.chosen[report.fastest].per_second)
      report.fastest = version;
    report.trials.insert(report.trials.end(), found->begin(), found->end());
  }
  return report;
}

TunedVersions tuned_settings(const std::map<std::string, Trial>& chosen) {
  TunedVersions tuned;
  for (const auto& [version, trial] : chosen)
    tuned[version] = {settings_of(trial.candidate), trial.per_second, trial.p95 * 1e3};
  return tuned;
}

}  // namespace infer::inline v0::tools
