#pragma once

#include <string>

#include "infer/core/batch_policy.h"
#include "infer/core/result.h"
#include "infer/tools/service_curve.h"

namespace infer::inline v0::tools {

/// A model as `infer bench --json` measured it.
struct MeasuredModel {
  std::string name;    ///< Name of the model.
  ServiceCurve curve;  ///< How long the model takes.
  BatchOptions batch;  ///< The batching policy of its engine.
};

/// Reads a file that `infer bench --json` wrote.
///
/// Errors: `kNotFound`, `kInvalidArgument`.
Result<MeasuredModel> read_curve(const std::string& file);

}  // namespace infer::inline v0::tools
