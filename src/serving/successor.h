#pragma once

#include <filesystem>

#include "infer/core/result.h"
#include "infer/serving/served_models.h"

namespace infer::inline v0 {

/// Checks that the control group has memory for a model of `version`'s size beside the served model. Errors:
/// `kFailedPrecondition`, with the numbers.
Result<void> room_for(const std::filesystem::path& version);

/// Checks that `next` may replace `now`: the same task and signature, finite answers to recorded inputs and,
/// if its manifest has `same_weights_as` with the served version, the same answers. For the comparison, waits
/// at most a minute for a place in the served version. Blocking. Errors: `kFailedPrecondition`, saying what
/// differs.
Result<void> check_successor(const ServedModel& now, const ServedModel& next);

}  // namespace infer::inline v0
