#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "infer/core/result.h"
#include "infer/engine/backend.h"
#include "infer/engine/signature.h"
#include "infer/export.h"

namespace infer::inline v0::testing {

/// A model without weights: stated latency, stated failures, outputs that follow from the inputs alone.
///
/// A forward of n samples takes `base` + n x `per_sample`, burned as CPU time or slept. An output with the
/// dtype and shape of the input in its place is that input, whatever they are. Any other is FP32: element j
/// of a sample is element (j x input elements / output elements) of its first input.
///
/// An FP64 input of two numbers is work that the sample brings along: milliseconds of CPU time to burn and
/// rounds of a fixed computation to do, both beside the law above; an FP64 output of two numbers says what
/// was done.
struct ScriptedOptions {
  ModelSignature signature;
  std::chrono::microseconds base{0};
  std::chrono::microseconds per_sample{0};
  bool burn = true;
  /// The law's time is multiplied by a log-normal number of median 1 with this sigma; 0: no spread.
  double sigma = 0;
  /// The share of forwards that fail with `kModelError`.
  double failure_rate = 0;
  std::uint64_t seed = 1;  ///< Of both; forward n draws the same whatever ran before.
  /// A batch whose samples include one whose first element is this fails with `kModelError`.
  std::optional<float> poison;
  /// Called first in each forward with the inputs; an error it returns, or an exception it throws, is the
  /// forward's.
  std::function<Result<void>(std::span<const Tensor> inputs)> before;
};

/// Thread-safe, as every backend. Errors: `kInvalidArgument` unless each output is its input, or the
/// signature is static with a first input of FP32, UINT8 or FP64 [2] and outputs of FP32.
INFER_EXPORT Result<std::shared_ptr<const Backend>> make_scripted_backend(ScriptedOptions options);

/// The signature of an image embedder: `pixel_values` FP32 [3,size,size] to `embedding` FP32 [dim].
INFER_EXPORT ModelSignature image_signature(std::int64_t size = 224, std::int64_t dim = 512);

/// Uses up `time` of this thread's CPU time.
INFER_EXPORT void burn_cpu(std::chrono::microseconds time);

}  // namespace infer::inline v0::testing
