#pragma once

#include <cstdint>
#include <filesystem>

#include "infer/core/result.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// How long a simulated forward takes, and how often it fails.
///
/// A forward of n samples burns (`base_ms` + n x `per_sample_ms`) x L of CPU time, where L is a log-normal
/// number with median 1 and spread `sigma`. Work that requests ask for is added.
struct SimulatorConfig {
  double base_ms = 20;       ///< Milliseconds per forward.
  double per_sample_ms = 0;  ///< Milliseconds per sample.
  double sigma = 0;          ///< Sigma of the log-normal factor; 0: no spread.
  double failure_rate = 0;   ///< Share of forwards that fail, 0 to 1.
  std::uint64_t seed = 1;    ///< Seed of spread and failures.
};

/// Writes DIRECTORY/infer.json and DIRECTORY/1/law.json; blocking.
///
/// Errors: `kInvalidArgument` (a number out of bounds), `kFailedPrecondition` (the folder exists or cannot be
/// written).
INFER_EXPORT Result<void> create_simulator(const SimulatorConfig& config,
                                           const std::filesystem::path& directory);

}  // namespace infer::inline v0
