#pragma once

#include <string>
#include <utility>
#include <vector>

#include "infer/engine/response.h"
#include "infer/tasks/task.h"

namespace infer::inline v0 {

/// The contract of a task whose clients see the signature, the labels and the scores: dtypes of inputs and
/// outputs, shapes of outputs, labels and the meaning of scores must stay.
Result<void> same_signature(const Model& now, const Model& next);

/// Wraps the answer of a model with one output.
inline Result<std::vector<std::vector<float>>> single(Result<std::vector<float>> answer) {
  if (!answer) return Unexpected(answer.error());
  std::vector<std::vector<float>> outputs;
  outputs.push_back(*std::move(answer));
  return outputs;
}

/// Returns the values of each FP32 output.
std::vector<std::vector<float>> values_of(const Response& response);

/// Returns the error for a version that does not fit the served version.
inline Unexpected unfit(const std::string& what) { return fail(ErrorCode::kFailedPrecondition, what); }

}  // namespace infer::inline v0
