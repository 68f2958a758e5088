#pragma once

#include <filesystem>

#include "infer/core/result.h"
#include "infer/serving/served_models.h"

namespace infer::inline v0 {

/// Whether a second model of `version`'s size fits in what the control group has left, beside the one that is
/// served. Errors: `kFailedPrecondition`, with the numbers.
Result<void> room_for(const std::filesystem::path& version);

/// Whether `next` may take the place of `now`: the same task and signature, finite answers to recorded
/// inputs, and where its manifest says `same_weights_as` the version served, the same answers, which that one
/// must give: where it is full a turn is waited for, a minute at most. Blocking.
/// Errors: `kFailedPrecondition`, saying what differs.
Result<void> check_successor(const ServedModel& now, const ServedModel& next);

}  // namespace infer::inline v0
