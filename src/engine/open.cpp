#include "infer/engine/open.h"

#include <algorithm>
#include <utility>

#include "infer/engine/tuned.h"
#include "infer/machine/cpu.h"

namespace infer::inline v0 {

PartialSettings default_settings() {
  PartialSettings settings;
  EngineOptions defaults;
  for (const Setting& setting : kSettings) {
    std::visit(
        [&](const auto& kept) {
          if (kept.option) settings.*kept.member = kept.option(defaults);
        },
        setting.value);
  }
  return settings;
}

Result<EngineOptions> engine_options(const Manifest& manifest, const OpenOptions& wanted,
                                     std::size_t usable_cores) {
  EngineOptions options;
  const PartialSettings settings = merge(wanted, manifest);
  for (const Setting& setting : kSettings) {
    std::visit(
        [&](const auto& kept) {
          if (kept.option && settings.*kept.member) kept.option(options) = *(settings.*kept.member);
        },
        setting.value);
  }
  auto& sizes = options.batch.allowed_batch_sizes;
  std::erase_if(sizes, [&](std::size_t size) { return size > options.batch.max_batch_size; });
  if (!sizes.empty() && sizes.back() < options.batch.max_batch_size)
    sizes.push_back(options.batch.max_batch_size);
  options.metrics = wanted.metrics;
  options.log = wanted.log;
  options.metrics_name = wanted.metrics_name;
  auto plan = plan_threads(usable_cores, settings.workers.value_or(0), settings.intra_op_threads.value_or(0));
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
  OpenOptions chosen = wanted;
  if (!wanted.tuned.empty()) {
    auto tuned = read_tuned(wanted.tuned);
    if (!tuned) return Unexpected(tuned.error());
    if (const auto found = tuned->find(wanted.version); found != tuned->end())
      static_cast<PartialSettings&>(chosen) = merge(wanted, found->second);
  }
  auto options = engine_options(manifest, chosen, usable_cores());
  if (!options) return Unexpected(options.error());
  auto model =
      load_model(directory, std::move(manifest),
                 {wanted.device, options->threads.intra_op_threads, wanted.version, wanted.backends});
  if (!model) return Unexpected(model.error());
  return Engine::create(*std::move(model), *std::move(options));
}

}  // namespace infer::inline v0
