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

/// A model without weights for tests: stated latency, stated failures, and outputs that follow from the
/// inputs.
///
/// A forward of n samples takes (`base` + n x `per_sample`) x L, where L is a log-normal number with median
/// 1. An output with the dtype and shape of the input at the same index equals that input. Any other output
/// is FP32: element j of a sample is element (j x input elements / output elements) of its first input.
///
/// An FP64 [2] input is additional work for the sample: milliseconds of CPU time to burn, and rounds of a
/// fixed computation to do. An FP64 [2] output reports the work that was done.
struct ScriptedOptions {
  ModelSignature signature;                 ///< Inputs and outputs of the model.
  std::chrono::microseconds base{0};        ///< Time per forward.
  std::chrono::microseconds per_sample{0};  ///< Time per sample.
  bool burn = true;                         ///< Burn CPU time; false: sleep.
  double sigma = 0;                         ///< Sigma of the log-normal factor L; 0: no spread.
  double failure_rate = 0;                  ///< Share of forwards that fail with `kModelError`, 0 to 1.
  /// Seed of spread and failures; forward n draws the same numbers whatever ran before.
  std::uint64_t seed = 1;
  /// Fails with `kModelError` each batch that has a sample whose first element is this number.
  std::optional<float> poison;
  /// Runs first in each forward, with the inputs; its error or exception becomes that of the forward.
  std::function<Result<void>(std::span<const Tensor> inputs)> before;
};

/// Makes the backend; thread-safe, as every backend.
///
/// Errors: `kInvalidArgument` unless each output equals an input, or the signature is static with a first
/// input of FP32, UINT8 or FP64 [2] and outputs of FP32.
INFER_EXPORT Result<std::shared_ptr<const Backend>> make_scripted_backend(ScriptedOptions options);

/// Returns the signature of an image embedder: `pixel_values` FP32 [3,size,size] to `embedding` FP32 [dim].
INFER_EXPORT ModelSignature image_signature(std::int64_t size = 224, std::int64_t dim = 512);

/// Uses up `time` of the calling thread's CPU time; blocks until then.
INFER_EXPORT void burn_cpu(std::chrono::microseconds time);

}  // namespace infer::inline v0::testing
