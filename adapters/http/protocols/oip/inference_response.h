#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "infer/core/result.h"
#include "infer/engine/model.h"
#include "infer/engine/tensor.h"
#include "protocols/oip/inference_request.h"

namespace infer::http {

/// An answer of the Open Inference Protocol v2.
struct InferenceResponse {
  std::string json;
  bool has_binary = false;
  std::vector<Tensor> binary;  ///< Follow the JSON, in order: the rows of each output.
};

/// Name of output `index` of a model, which may declare none.
std::string output_name(const ModelSignature& signature, std::size_t index);

/// The most bytes that the elements of a tensor take in JSON.
std::size_t most_json_bytes(const Tensor& tensor) noexcept;

/// Writes the outputs of the model for each row as `request` wants them; binary ones are not copied. Errors:
/// `kInvalidArgument` (an output that is not among them, or that JSON cannot hold), `kModelError` (rows of
/// different shapes).
Result<InferenceResponse> write_inference_response(const Model& model, const InferenceRequest& request,
                                                   const std::vector<std::vector<Tensor>>& rows);

}  // namespace infer::http
