#pragma once

#include <string>

#include "infer/core/batch_policy.h"
#include "infer/core/result.h"
#include "infer/tools/service_curve.h"

namespace infer::inline v0::tools {

/// A model as `infer bench --json` measured it.
struct MeasuredModel {
  std::string name;    ///< Its name.
  ServiceCurve curve;  ///< How long it takes.
  BatchOptions batch;  ///< The policy that it is served with.
};

/// Reads a file that `infer bench --json` wrote.
///
/// Errors: `kNotFound`, `kInvalidArgument`.
Result<MeasuredModel> read_curve(const std::string& file);

}  // namespace infer::inline v0::tools
