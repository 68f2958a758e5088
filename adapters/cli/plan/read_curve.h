#pragma once

#include <string>

#include "infer/core/batch_policy.h"
#include "infer/core/result.h"
#include "plan/service_curve.h"

namespace infer::cli {

/// What `infer bench --json` wrote: how long the model takes, and the policy that it is served with.
struct MeasuredModel {
  std::string name;
  ServiceCurve curve;
  BatchOptions batch;
};

/// Errors: `kNotFound`, `kInvalidArgument`.
Result<MeasuredModel> read_curve(const std::string& file);

}  // namespace infer::cli
