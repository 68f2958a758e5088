#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "infer/core/result.h"
#include "infer/engine/model.h"
#include "infer/engine/tensor.h"
#include "protocols/oip/inference_request.h"

namespace infer::http {

struct InferenceResponse {
  std::string json;
  bool has_binary = false;
  std::vector<Tensor> binary;  ///< Sent after the JSON: the rows of each output, in order.
};

/// Returns the name of output `index`. A model may declare no names.
std::string output_name(const ModelSignature& signature, std::size_t index);

/// Returns the maximum size of a tensor's elements in JSON, in bytes.
std::size_t most_json_bytes(const Tensor& tensor) noexcept;

/// Writes the outputs that `request` asks for. Binary outputs are not copied. Errors: `kInvalidArgument`
/// (an unknown output, or a value that JSON cannot hold), `kModelError` (rows of different shapes).
Result<InferenceResponse> write_inference_response(const Model& model, const InferenceRequest& request,
                                                   const std::vector<std::vector<Tensor>>& rows);

}  // namespace infer::http
