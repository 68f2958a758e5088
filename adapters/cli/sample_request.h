#pragma once

#include <functional>
#include <memory>
#include <string>

#include "infer/engine/engine.h"

namespace infer::cli {

/// One request to a model, blocking until it is answered; thread-safe.
using SampleRequest = std::function<Result<void>()>;

/// Requests with what a client sends, read as the server reads it: a photograph for a model of images, a text
/// for one of texts. Without it a tensor of each input. Errors: `kUnimplemented` (a sample for another kind
/// of model), `kFailedPrecondition` (a signature without fixed shapes, and no sample), those of the task.
Result<SampleRequest> sample_request(std::shared_ptr<Engine> engine, const std::string& sample);

/// The content of a file. Errors: `kNotFound`.
Result<std::string> read_sample(const std::string& file);

/// Inputs of a batch, each free dimension `length`: a ramp, or ones where they are ids and masks. Values do
/// not change how long a forward takes. Errors: `kOutOfMemory`, `kInvalidArgument`.
Result<std::vector<Tensor>> ramp_inputs(const ModelSignature& signature, std::size_t batch,
                                        std::size_t length = 1);

}  // namespace infer::cli
