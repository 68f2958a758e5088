#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "infer/core/clock.h"
#include "infer/engine/tensor.h"

namespace infer::inline v0 {

/// Where the time of one sample went.
struct Timings {
  Duration queue{};    ///< From submit to the start of its batch.
  Duration compute{};  ///< Collate, forward and split of its batch.
  Duration collate{};  ///< Of these: making one batch of the samples.
  Duration forward{};  ///< Of these: the model.
};

/// The outputs for one sample, without batch dimension. Rows of one batch share their memory.
struct Response {
  std::vector<Tensor> outputs;
  Timings timings;
  std::size_t batch_size = 0;
};

}  // namespace infer::inline v0
