#include "inference_response.h"

#include <cmath>
#include <concepts>
#include <utility>

#include "json_writer.h"

namespace infer::http {

using adapter::JsonWriter;

namespace {

Unexpected invalid(std::string message) { return fail(ErrorCode::kInvalidArgument, std::move(message)); }

template <class T>
Result<void> write_elements(JsonWriter& json, const std::string& name, const Tensor& tensor) {
  json.begin_array();
  std::size_t index = 0;
  for (const T value : tensor.as<T>()) {
    if constexpr (std::floating_point<T>) {
      if (!std::isfinite(value)) {
        return invalid("outputs." + name + ": element " + std::to_string(index) +
                       " is not finite, which JSON cannot hold; ask for it as binary data");
      }
    }
    json.value(value);
    ++index;
  }
  json.end_array();
  return {};
}

Result<void> write_data(JsonWriter& json, const std::string& name, const Tensor& tensor) {
  switch (tensor.dtype()) {
    case DType::kBool:
      return write_elements<bool>(json, name, tensor);
    case DType::kUint8:
      return write_elements<std::uint8_t>(json, name, tensor);
    case DType::kUint16:
      return write_elements<std::uint16_t>(json, name, tensor);
    case DType::kUint32:
      return write_elements<std::uint32_t>(json, name, tensor);
    case DType::kUint64:
      return write_elements<std::uint64_t>(json, name, tensor);
    case DType::kInt8:
      return write_elements<std::int8_t>(json, name, tensor);
    case DType::kInt16:
      return write_elements<std::int16_t>(json, name, tensor);
    case DType::kInt32:
      return write_elements<std::int32_t>(json, name, tensor);
    case DType::kInt64:
      return write_elements<std::int64_t>(json, name, tensor);
    case DType::kFp32:
      return write_elements<float>(json, name, tensor);
    case DType::kFp64:
      return write_elements<double>(json, name, tensor);
    case DType::kFp16:
    case DType::kBf16:
      break;
  }
  return invalid("outputs." + name + ": " + std::string(to_string(tensor.dtype())) +
                 " travels only as binary data; ask for it so");
}

}  // namespace

std::string output_name(const ModelSignature& signature, std::size_t index) {
  return index < signature.outputs.size() ? signature.outputs[index].name
                                          : "OUTPUT__" + std::to_string(index);
}

Result<InferenceResponse> write_inference_response(const Model& model, const InferenceRequest& request,
                                                   const std::vector<Tensor>& outputs) {
  const ModelSignature& signature = model.backend->signature();
  std::vector<std::pair<RequestedOutput, const Tensor*>> wanted;
  if (request.outputs.empty()) {
    for (std::size_t i = 0; i < outputs.size(); ++i)
      wanted.emplace_back(RequestedOutput{output_name(signature, i), request.binary_output}, &outputs[i]);
  }
  for (const RequestedOutput& output : request.outputs) {
    std::size_t i = 0;
    while (i < outputs.size() && output_name(signature, i) != output.name) ++i;
    if (i == outputs.size())
      return invalid("outputs: '" + output.name.substr(0, 64) + "' is not an output of the model");
    wanted.emplace_back(output, &outputs[i]);
  }
  InferenceResponse response;
  JsonWriter json;
  json.begin_object().key("model_name").value(model.name).key("model_version").value(model.version);
  if (request.id) json.key("id").value(*request.id);
  json.key("outputs").begin_array();
  for (const auto& [output, tensor] : wanted) {
    json.begin_object().key("name").value(output.name).key("datatype").value(to_string(tensor->dtype()));
    json.key("shape").begin_array();
    for (const std::int64_t dim : tensor->shape().dims()) json.value(dim);
    json.end_array();
    if (output.binary) {
      json.key("parameters").begin_object().key("binary_data_size").value(tensor->bytes()).end_object();
      response.binary.push_back(*tensor);
    } else {
      json.key("data");
      if (auto written = write_data(json, output.name, *tensor); !written) return Unexpected(written.error());
    }
    json.end_object();
  }
  json.end_array().end_object();
  response.json = std::move(json).text();
  return response;
}

}  // namespace infer::http
