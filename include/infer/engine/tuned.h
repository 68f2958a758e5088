#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>

#include "infer/core/result.h"
#include "infer/engine/manifest.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// The settings that measured best for one version of a model on one kind of machine.
struct TunedSettings {
  std::size_t workers = 1;           ///< `ThreadPlan::workers`.
  std::size_t intra_op_threads = 1;  ///< `ThreadPlan::intra_op_threads`.
  std::size_t max_batch_size = 8;    ///< `BatchOptions::max_batch_size`.
  double max_queue_delay_ms = 0;     ///< `BatchOptions::max_queue_delay`, in milliseconds.
  double samples_per_second = 0;     ///< Measured throughput with these settings.
  double p95_ms = 0;                 ///< Measured 95th percentile of the latency, in milliseconds.
};

/// Tuned settings by version; one file holds those of one CPU and number of usable cores.
using TunedVersions = std::map<std::string, TunedSettings>;

/// Returns the file name for a CPU and its usable cores, such as "amd-epyc-9b45-2.json".
INFER_EXPORT std::string tuned_file_name(std::string_view cpu, std::size_t usable_cores);

/// Reads a file of tuned settings; blocking.
///
/// Errors: `kNotFound`; `kInvalidArgument`, naming the file and the field; `kUnimplemented` in a build
/// without the JSON parser.
INFER_EXPORT Result<TunedVersions> read_tuned(const std::filesystem::path& file);
/// Replaces the file in one step: a reader sees the whole old file or the whole new file.
///
/// Errors: `kFailedPrecondition` (the file cannot be written).
INFER_EXPORT Result<void> write_tuned(const std::filesystem::path& file, const TunedVersions& versions);

/// Returns `manifest` with these settings in place of its own.
INFER_EXPORT Manifest with_tuned(Manifest manifest, const TunedSettings& settings);

}  // namespace infer::inline v0
