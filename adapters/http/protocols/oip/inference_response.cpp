#include "protocols/oip/inference_response.h"

#include <cmath>
#include <concepts>
#include <utility>

#include "engine/json_writer.h"
#include "infer/core/invalid.h"

namespace infer::http {

namespace {

/// Writes the elements of a row. `index` is the place of the first element in the whole output.
template <class T>
Result<void> write_elements(JsonWriter& json, const std::string& name, const Tensor& tensor,
                            std::size_t index) {
  for (const T value : tensor.as<T>()) {
    if constexpr (std::floating_point<T>) {
      if (!std::isfinite(value)) {
        return invalid("outputs." + name + ": element " + std::to_string(index) +
                       " is NaN or infinite, which JSON cannot hold; request the output as binary data");
      }
    }
    json.value(value);
    ++index;
  }
  return {};
}

Result<void> write_data(JsonWriter& json, const std::string& name, const Tensor& tensor, std::size_t index) {
  switch (tensor.dtype()) {
    case DType::kBool:
      return write_elements<bool>(json, name, tensor, index);
    case DType::kUint8:
      return write_elements<std::uint8_t>(json, name, tensor, index);
    case DType::kUint16:
      return write_elements<std::uint16_t>(json, name, tensor, index);
    case DType::kUint32:
      return write_elements<std::uint32_t>(json, name, tensor, index);
    case DType::kUint64:
      return write_elements<std::uint64_t>(json, name, tensor, index);
    case DType::kInt8:
      return write_elements<std::int8_t>(json, name, tensor, index);
    case DType::kInt16:
      return write_elements<std::int16_t>(json, name, tensor, index);
    case DType::kInt32:
      return write_elements<std::int32_t>(json, name, tensor, index);
    case DType::kInt64:
      return write_elements<std::int64_t>(json, name, tensor, index);
    case DType::kFp32:
      return write_elements<float>(json, name, tensor, index);
    case DType::kFp64:
      return write_elements<double>(json, name, tensor, index);
    case DType::kFp16:
    case DType::kBf16:
      break;
  }
  return invalid("outputs." + name + ": " + std::string(to_string(tensor.dtype())) +
                 " can only be sent as binary data; request the output as binary data");
}

}  // namespace

std::size_t most_json_bytes(const Tensor& tensor) noexcept {
  switch (element_size(tensor.dtype())) {
    case 1:
      return tensor.elements() * 6;  // "false,"
    case 2:
      return tensor.elements() * 7;  // "-32768,"
    case 4:
      return tensor.elements() * 16;  // "-1.1754944e-38,"
    default:
      return tensor.elements() * 25;  // "-2.2250738585072014e-308,"
  }
}

std::string output_name(const ModelSignature& signature, std::size_t index) {
  return index < signature.outputs.size() ? signature.outputs[index].name
                                          : "OUTPUT__" + std::to_string(index);
}

Result<InferenceResponse> write_inference_response(const Model& model, const InferenceRequest& request,
                                                   const std::vector<std::vector<Tensor>>& rows) {
  const ModelSignature& signature = model.backend->signature();
  const std::size_t count = rows.empty() ? signature.outputs.size() : rows.front().size();
  struct Wanted {
    RequestedOutput output;
    std::size_t index;
  };
  std::vector<Wanted> wanted;
  if (request.outputs.empty()) {
    for (std::size_t i = 0; i < count; ++i)
      wanted.push_back({{output_name(signature, i), request.binary_output}, i});
  }
  for (const RequestedOutput& output : request.outputs) {
    std::size_t i = 0;
    while (i < count && output_name(signature, i) != output.name) ++i;
    if (i == count) return invalid("outputs: " + in_quotes(output.name) + " is not an output of the model");
    wanted.push_back({output, i});
  }
  InferenceResponse response;
  JsonWriter json;
  json.begin_object().key("model_name").value(model.name).key("model_version").value(model.version);
  if (request.id) json.key("id").value(*request.id);
  json.key("outputs").begin_array();
  for (const auto& [output, index] : wanted) {
    const DType dtype = rows.empty() ? signature.outputs[index].dtype : rows.front()[index].dtype();
    const Shape shape = rows.empty() ? signature.outputs[index].shape : rows.front()[index].shape();
    json.begin_object().key("name").value(output.name).key("datatype").value(to_string(dtype));
    json.key("shape").begin_array().value(rows.size());
    for (const std::int64_t dim : shape.dims()) json.value(dim);
    json.end_array();
    std::size_t bytes = 0;
    for (const auto& row : rows) {
      if (!(row[index].shape() == shape)) {
        return fail(ErrorCode::kModelError, "outputs." + output.name + ": rows have different shapes, " +
                                                shape.text() + " and " + row[index].shape().text());
      }
      bytes += row[index].bytes();
    }
    if (output.binary) {
      json.key("parameters").begin_object().key("binary_data_size").value(bytes).end_object();
      response.has_binary = true;
      for (const auto& row : rows) response.binary.push_back(row[index]);
    } else {
      json.key("data").begin_array();
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const Tensor& row = rows[i][index];
        if (auto written = write_data(json, output.name, row, i * row.elements()); !written)
          return Unexpected(written.error());
      }
      json.end_array();
    }
    json.end_object();
  }
  json.end_array().end_object();
  response.json = std::move(json).text();
  return response;
}

}  // namespace infer::http
