#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "infer/core/result.h"
#include "infer/engine/engine.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// What a caller wants to differ from infer.json and from the defaults; 0 or empty keeps their value.
struct OpenOptions {
  std::string device = "cpu";     ///< "cpu" or "cuda:N".
  std::string version = {};       ///< Version to open; empty: the promoted version, else the latest.
  std::string metrics_name = {};  ///< The label "model" of the metrics; empty: the model's name.
  std::size_t workers = 0;        ///< `ThreadPlan::workers`; 0: the manifest's, else from the usable cores.
  /// `ThreadPlan::intra_op_threads`; 0: the manifest's, else from the usable cores.
  std::size_t intra_op_threads = 0;
  std::optional<std::size_t> max_batch_size;                 ///< `BatchOptions::max_batch_size`.
  std::optional<std::chrono::microseconds> max_queue_delay;  ///< `BatchOptions::max_queue_delay`.
  std::optional<std::size_t> max_queue_size;                 ///< `BatchOptions::max_queue_size`.
  std::optional<Warmup> warmup;                              ///< `EngineOptions::warmup`.
  std::size_t max_inflight = 64;                             ///< `EngineOptions::max_inflight`.
  std::size_t max_queue_bytes = std::size_t{256} << 20;      ///< `BatchOptions::max_queue_bytes`.
  /// `EngineOptions::max_wait`; 0 (no limit) suits work for which no client waits.
  std::chrono::milliseconds max_wait{2'000};
  /// File of tuned settings, used for the versions that it lists; see infer/engine/tuned.h.
  std::filesystem::path tuned = {};
  std::shared_ptr<MetricsRegistry> metrics;  ///< `EngineOptions::metrics`.
  LogHook log;                               ///< `EngineOptions::log`.
  std::shared_ptr<const Backends> backends;  ///< `LoadOptions::backends`.
};

/// Reads "none", "default" or "full".
///
/// Errors: `kInvalidArgument`.
INFER_EXPORT Result<Warmup> parse_warmup(const std::string& name);

/// Merges options: defaults first, then `manifest`, then `wanted`, for a machine with `usable_cores`.
///
/// Errors: `kInvalidArgument`.
INFER_EXPORT Result<EngineOptions> engine_options(const Manifest& manifest, const OpenOptions& wanted,
                                                  std::size_t usable_cores);

/// Loads models/NAME and starts an engine on it; blocks until the engine is warm.
///
/// The engine's threads are planned from affinity and control groups.
///
/// Errors: those of `load_model`, `engine_options` and `Engine::create`.
INFER_EXPORT Result<Engine> open_engine(const std::filesystem::path& directory,
                                        const OpenOptions& wanted = {});

/// Starts an engine on one version with the manifest that the caller has read of it; else as above.
///
/// Errors: as above, and `kInvalidArgument` if `wanted.version` is empty.
INFER_EXPORT Result<Engine> open_engine(const std::filesystem::path& directory, Manifest manifest,
                                        const OpenOptions& wanted);

}  // namespace infer::inline v0
