#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>

#include "infer/core/result.h"
#include "infer/engine/manifest.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// What was measured to be best for one version of a model on one kind of machine.
struct TunedSettings {
  std::size_t workers = 1;
  std::size_t intra_op_threads = 1;
  std::size_t max_batch_size = 8;
  double max_queue_delay_ms = 0;
  double samples_per_second = 0;  ///< What it did with them.
  double p95_ms = 0;
};

/// By version. A file holds those of one kind of machine: CPU and usable cores are in its name.
using TunedVersions = std::map<std::string, TunedSettings>;

/// "amd-epyc-9b45-2.json": for the name of a CPU and the cores that may be used.
INFER_EXPORT std::string tuned_file_name(std::string_view cpu, std::size_t usable_cores);
/// The name of this machine's CPU; "unknown" where the system does not say.
INFER_EXPORT std::string cpu_name();

/// Errors: `kNotFound`, `kInvalidArgument`, naming the file and the field.
INFER_EXPORT Result<TunedVersions> read_tuned(const std::filesystem::path& file);
/// Replaces the file in one step. Errors: `kFailedPrecondition`.
INFER_EXPORT Result<void> write_tuned(const std::filesystem::path& file, const TunedVersions& versions);

/// What a manifest says, with these settings in place of its own.
INFER_EXPORT Manifest with_tuned(Manifest manifest, const TunedSettings& settings);

}  // namespace infer::inline v0
