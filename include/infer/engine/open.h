#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

#include "infer/core/result.h"
#include "infer/engine/engine.h"
#include "infer/engine/settings.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// What a caller wants: device, version, and settings that override those of infer.json.
struct OpenOptions : PartialSettings {
  std::string device = "cpu";     ///< "cpu" or "cuda:N".
  std::string version = {};       ///< Version to open; empty: the promoted version, else the latest.
  std::string metrics_name = {};  ///< The label "model" of the metrics; empty: the model's name.
  /// File of tuned settings, used for the versions that it lists; see infer/engine/tuned.h.
  std::filesystem::path tuned = {};
  std::shared_ptr<MetricsRegistry> metrics;  ///< `EngineOptions::metrics`.
  LogHook log;                               ///< `EngineOptions::log`.
  std::shared_ptr<const Backends> backends;  ///< `LoadOptions::backends`.
};

/// Returns the settings of a default `EngineOptions`, without threads, which depend on the machine.
INFER_EXPORT PartialSettings default_settings();

/// Makes an engine's options for a machine with `usable_cores`: `wanted` overrides `manifest`, and `manifest`
/// overrides the defaults.
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

/// Starts an engine on one version with its manifest, which the caller has already read; otherwise as the
/// other `open_engine`.
///
/// Errors: those of the other `open_engine`, and `kInvalidArgument` if `wanted.version` is empty.
INFER_EXPORT Result<Engine> open_engine(const std::filesystem::path& directory, Manifest manifest,
                                        const OpenOptions& wanted);

}  // namespace infer::inline v0
