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

/// The header that tells how many bytes of a body are JSON, where tensors follow it.
inline constexpr const char* kJsonLengthHeader = "Inference-Header-Content-Length";

/// A named tensor of the Open Inference Protocol: numbers, or (BYTES) byte strings.
struct NamedTensor {
  std::string name;
  Shape shape;  ///< With the batch dimension in front.
  bool is_bytes = false;
  Tensor numbers;                                      ///< Unless `is_bytes`.
  std::vector<std::span<const std::uint8_t>> strings;  ///< If `is_bytes`; in the request's body.
};

/// One of the outputs that a request asks for.
struct RequestedOutput {
  std::string name;
  bool binary = false;
};

/// A request of the Open Inference Protocol v2, its binary tensors extension included.
struct InferenceRequest {
  std::optional<std::string> id;  ///< Given, be it empty: it is echoed.
  std::vector<NamedTensor> inputs;
  std::vector<RequestedOutput> outputs;  ///< Empty: all.
  bool binary_output = false;            ///< How outputs go that do not say it.
  std::optional<std::chrono::microseconds> timeout;
  std::shared_ptr<void> body;                      ///< Keeps what `strings` of binary inputs point into,
  std::vector<std::vector<std::uint8_t>> decoded;  ///< and those of JSON inputs.
};

/// Reads a request, whose tensors lie in `body` where they can; and keep it. `json_bytes` is the header
/// Inference-Header-Content-Length, where it was sent. BYTES in JSON are base64. Errors: `kInvalidArgument`,
/// naming the field.
Result<InferenceRequest> parse_inference_request(const Body& body, std::optional<std::size_t> json_bytes);

/// The whole body as the single input of a model. Errors: `kInvalidArgument` if the model has several, or
/// rows of any size, or the body holds no whole number of rows.
Result<InferenceRequest> raw_inference_request(const Body& body, const ModelSignature& signature,
                                               bool as_bytes);

}  // namespace infer::http
