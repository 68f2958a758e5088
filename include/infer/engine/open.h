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

/// What a caller wants otherwise than infer.json and the defaults say; 0 or unset leaves it to them.
struct OpenOptions {
  std::string device = "cpu";     ///< "cpu" or "cuda:N".
  std::string version = {};       ///< Empty: the one that is promoted, else the latest.
  std::string metrics_name = {};  ///< The label "model" of its metrics; empty: the model's name.
  std::size_t workers = 0;
  std::size_t intra_op_threads = 0;
  std::optional<std::size_t> max_batch_size;
  std::optional<std::chrono::microseconds> max_queue_delay;
  std::optional<std::size_t> max_queue_size;
  std::optional<Warmup> warmup;
  std::size_t max_inflight = 64;
  std::size_t max_queue_bytes = std::size_t{256} << 20;
  std::chrono::milliseconds max_wait{2'000};  ///< Of `EngineOptions`; 0, for work nobody waits for: no limit.
  std::filesystem::path tuned = {};  ///< File of tuned settings, used for the versions in it; see tuned.h.
  std::shared_ptr<MetricsRegistry> metrics;
  LogHook log;
};

/// "none", "default" or "full". Errors: `kInvalidArgument`.
INFER_EXPORT Result<Warmup> parse_warmup(const std::string& name);

/// The options for `manifest` on a machine with `usable_cores`: defaults, then the manifest, then `wanted`.
/// Errors: `kInvalidArgument`.
INFER_EXPORT Result<EngineOptions> engine_options(const Manifest& manifest, const OpenOptions& wanted,
                                                  std::size_t usable_cores);

/// Loads models/NAME and starts an engine on it, with threads planned from affinity and control groups.
/// Blocks until it is warm. Errors: those of `load_model` and `Engine::create`.
INFER_EXPORT Result<Engine> open_engine(const std::filesystem::path& directory,
                                        const OpenOptions& wanted = {});

}  // namespace infer::inline v0
