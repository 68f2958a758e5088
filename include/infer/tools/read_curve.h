#pragma once

#include <string>

#include "infer/core/batch_policy.h"
#include "infer/core/result.h"
#include "infer/tools/service_curve.h"

namespace infer::inline v0::tools {

/// A model and its measurements from `infer bench --json`.
struct MeasuredModel {
  std::string name;    ///< Name of the model.
  ServiceCurve curve;  ///< Measured times.
  BatchOptions batch;  ///< Batch policy of the model.
};

/// Reads a file that `infer bench --json` wrote.
///
/// Errors: `kNotFound`, `kInvalidArgument`.
Result<MeasuredModel> read_curve(const std::string& file);

}  // namespace infer::inline v0::tools
