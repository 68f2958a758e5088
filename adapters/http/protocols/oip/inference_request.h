#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infer/core/result.h"
#include "infer/engine/signature.h"
#include "infer/engine/tensor.h"
#include "message/body.h"

namespace infer::http {

/// The header with the number of JSON bytes at the beginning of a body that continues with binary tensors.
inline constexpr const char* kJsonLengthHeader = "Inference-Header-Content-Length";

/// A named tensor of the Open Inference Protocol: numbers, or byte strings (BYTES).
struct NamedTensor {
  std::string name;
  Shape shape;  ///< Includes the batch dimension.
  bool is_bytes = false;
  Tensor numbers;                                      ///< Unless `is_bytes`.
  std::vector<std::span<const std::uint8_t>> strings;  ///< If `is_bytes`; views of the request's body.
};

/// An output that a request asks for.
struct RequestedOutput {
  std::string name;
  bool binary = false;
};

/// A request of the Open Inference Protocol v2 and its binary tensors extension.
struct InferenceRequest {
  std::optional<std::string> id;  ///< Echoed if given, even if empty.
  std::vector<NamedTensor> inputs;
  std::vector<RequestedOutput> outputs;  ///< Empty: all outputs.
  bool binary_output = false;            ///< Default for outputs without their own setting.
  std::optional<std::chrono::microseconds> timeout;
  std::shared_ptr<void> body;                      ///< Keeps the views of binary inputs valid.
  std::vector<std::vector<std::uint8_t>> decoded;  ///< Keeps the strings of JSON inputs.
};

/// Parses a request. Its tensors are views of `body` if possible, and keep the memory of `body`.
/// `json_bytes` is the value of the header Inference-Header-Content-Length, if sent. BYTES in JSON are
/// base64. Errors: `kInvalidArgument`, naming the field.
Result<InferenceRequest> parse_inference_request(const Body& body, std::optional<std::size_t> json_bytes);

/// Makes the whole body the single input of a model. Errors: `kInvalidArgument` if the model has several
/// inputs or rows of variable size, or if the body is not a whole number of rows.
Result<InferenceRequest> raw_inference_request(const Body& body, const ModelSignature& signature,
                                               bool as_bytes);

}  // namespace infer::http
