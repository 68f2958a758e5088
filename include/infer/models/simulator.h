#pragma once

#include <cstdint>
#include <filesystem>

#include "infer/core/result.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// How long a simulated forward takes, beside the work that its requests bring: `base_ms` + `per_sample_ms`
/// for each sample, times a log-normal number of median 1 with `sigma`, burned as CPU time; and how often it
/// fails.
struct SimulatorConfig {
  double base_ms = 20;
  double per_sample_ms = 0;
  double sigma = 0;
  double failure_rate = 0;
  std::uint64_t seed = 1;
};

/// Writes DIRECTORY/infer.json and DIRECTORY/1/law.json. Errors: `kInvalidArgument` (a number out of bounds),
/// `kFailedPrecondition` (the folder exists already or cannot be written).
INFER_EXPORT Result<void> create_simulator(const SimulatorConfig& config,
                                           const std::filesystem::path& directory);

}  // namespace infer::inline v0
