#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>

#include "infer/core/result.h"
#include "infer/engine/settings.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// The settings that measured best for one version of a model on one kind of machine.
struct TunedSettings : PartialSettings {
  double samples_per_second = 0;  ///< Measured throughput with these settings.
  double p95_ms = 0;              ///< Measured 95th percentile of the latency, in milliseconds.
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

}  // namespace infer::inline v0
