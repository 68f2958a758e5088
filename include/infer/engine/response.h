#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "infer/core/clock.h"
#include "infer/engine/tensor.h"

namespace infer::inline v0 {

/// The times of one sample.
struct Timings {
  Duration queue{};    ///< From submission to the start of the batch.
  Duration compute{};  ///< Collating, forward and splitting of the batch.
  Duration collate{};  ///< Part of `compute`: making one batch of the samples.
  Duration forward{};  ///< Part of `compute`: the model.
};

/// The outputs of a model for one sample.
struct Response {
  /// One tensor for each output, without batch dimension; samples of one batch share the memory.
  std::vector<Tensor> outputs;
  Timings timings;             ///< Where the time of the sample went.
  std::size_t batch_size = 0;  ///< Number of samples in the batch.
};

}  // namespace infer::inline v0
