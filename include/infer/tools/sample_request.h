#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "infer/engine/engine.h"

namespace infer::inline v0::tools {

/// Sends one request to a model and blocks until the answer. Thread-safe.
using SampleRequest = std::function<Result<void>()>;

/// Makes requests from `sample`, which is what clients send: the bytes of a photograph for a model of
/// images, or a text for a model of texts. If `sample` is empty, each request has one tensor for each
/// input.
///
/// The result shares ownership of the engine.
///
/// Errors: `kUnimplemented` (a sample for a model of neither images nor texts), `kFailedPrecondition` (a
/// signature without fixed shapes, and no sample), and those of the task.
Result<SampleRequest> sample_request(std::shared_ptr<Engine> engine, const std::string& sample);

/// Returns the content of a file.
///
/// Errors: `kNotFound` (the file cannot be read, or is empty).
Result<std::string> read_sample(const std::string& file);

/// Returns the inputs of a batch, with each free dimension of size `length`: a ramp for fp32, ones for ids
/// and masks. The values do not affect the time of a forward.
///
/// Errors: `kOutOfMemory`, `kInvalidArgument`.
Result<std::vector<Tensor>> ramp_inputs(const ModelSignature& signature, std::size_t batch,
                                        std::size_t length = 1);

}  // namespace infer::inline v0::tools
