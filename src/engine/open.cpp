#include "infer/engine/open.h"

#include <algorithm>
#include <utility>

#include "infer/engine/tuned.h"
#include "infer/machine/cpu.h"

namespace infer::inline v0 {

Result<Warmup> parse_warmup(const std::string& name) {
  if (name == "none") return Warmup::kNone;
  if (name == "default") return Warmup::kDefault;
  if (name == "full") return Warmup::kFull;
  return fail(ErrorCode::kInvalidArgument, "warmup: '" + name + "' is none of none, default, full");
}

Result<EngineOptions> engine_options(const Manifest& manifest, const OpenOptions& wanted,
                                     std::size_t usable_cores) {
  EngineOptions options;
  BatchOptions& batch = options.batch;
  batch.max_batch_size =
      wanted.max_batch_size.value_or(manifest.max_batch_size.value_or(batch.max_batch_size));
  if (manifest.allowed_batch_sizes) batch.allowed_batch_sizes = *manifest.allowed_batch_sizes;
  auto& sizes = batch.allowed_batch_sizes;
  std::erase_if(sizes, [&](std::size_t size) { return size > batch.max_batch_size; });
  if (!sizes.empty() && sizes.back() < batch.max_batch_size) sizes.push_back(batch.max_batch_size);
  if (manifest.max_queue_delay_ms) {
    batch.max_queue_delay =
        std::chrono::microseconds(static_cast<std::int64_t>(*manifest.max_queue_delay_ms * 1000));
  }
  if (wanted.max_queue_delay) batch.max_queue_delay = *wanted.max_queue_delay;
  batch.max_queue_size =
      wanted.max_queue_size.value_or(manifest.max_queue_size.value_or(batch.max_queue_size));
  batch.max_batch_cost = manifest.max_batch_cost.value_or(batch.max_batch_cost);
  options.allowed_lengths = manifest.allowed_lengths;
  batch.max_queue_bytes = wanted.max_queue_bytes;
  options.max_inflight = wanted.max_inflight;
  options.max_wait = wanted.max_wait;
  options.metrics = wanted.metrics;
  options.log = wanted.log;
  options.metrics_name = wanted.metrics_name;
  if (manifest.warmup) {
    auto warmup = parse_warmup(*manifest.warmup);
    if (!warmup) return Unexpected(warmup.error());
    options.warmup = *warmup;
  }
  if (wanted.warmup) options.warmup = *wanted.warmup;
  // One number given by the caller replaces both of the manifest's: they were chosen together.
  const bool own = wanted.workers != 0 || wanted.intra_op_threads != 0;
  auto plan = plan_threads(usable_cores, own ? wanted.workers : manifest.workers.value_or(0),
                           own ? wanted.intra_op_threads : manifest.intra_op_threads.value_or(0));
  if (!plan) return Unexpected(plan.error());
  options.threads = *plan;
  return options;
}

Result<Engine> open_engine(const std::filesystem::path& directory, const OpenOptions& wanted) {
  auto version = wanted.version.empty() ? choose_version(directory) : Result<std::string>(wanted.version);
  if (!version) return Unexpected(version.error());
  auto manifest = read_manifest(directory, *version);
  if (!manifest) return Unexpected(manifest.error());
  OpenOptions chosen = wanted;
  chosen.version = *std::move(version);
  return open_engine(directory, *std::move(manifest), chosen);
}

Result<Engine> open_engine(const std::filesystem::path& directory, Manifest manifest,
                           const OpenOptions& wanted) {
  std::optional<TunedSettings> tuned;
  if (!wanted.tuned.empty()) {
    auto all = read_tuned(wanted.tuned);
    if (!all) return Unexpected(all.error());
    if (const auto found = all->find(wanted.version); found != all->end()) tuned = found->second;
  }
  auto options = engine_options(tuned ? with_tuned(manifest, *tuned) : manifest, wanted, usable_cores());
  if (!options) return Unexpected(options.error());
  auto model =
      load_model(directory, std::move(manifest),
                 {wanted.device, options->threads.intra_op_threads, wanted.version, wanted.backends});
  if (!model) return Unexpected(model.error());
  return Engine::create(*std::move(model), *std::move(options));
}

}  // namespace infer::inline v0
