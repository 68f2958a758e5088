#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "calls/model_request.h"
#include "infer/core/invalid.h"
#include "infer/tasks/tensor_runner.h"
#include "json/json_body.h"
#include "protocols/oip/inference_request.h"
#include "protocols/oip/inference_response.h"
#include "service.h"

namespace infer::http {
namespace {

/// Returns nothing if the header was not sent.
Result<std::optional<std::size_t>> json_length(const Exchange& exchange) {
  const auto text = exchange.request.header(kJsonLengthHeader);
  if (!text) return std::optional<std::size_t>();
  std::size_t length = 0;
  const char* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, length);
  if (error != std::errc() || stop != end)
    return invalid(std::string(kJsonLengthHeader) + ": '" + std::string(text->substr(0, 32)) +
                   "' is not a number of bytes");
  return std::optional(length);
}

bool takes_images(const ServedModel& model) { return model.task->input() == TaskInput::kImage; }

Result<InferenceRequest> read_request(Exchange& exchange, const ServedModel& model) {
  auto length = json_length(exchange);
  if (!length) return Unexpected(length.error());
  if (*length == std::size_t{0}) {
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(exchange.request.body.data());
    const bool image = takes_images(model) && image_format({bytes, exchange.request.body.size()}) != nullptr;
    return raw_inference_request(exchange.request.body, model.engine->model().backend->signature(), image);
  }
  const std::string_view json =
      exchange.request.body.text().substr(0, length->value_or(exchange.request.body.size()));
  if (auto charged = charge_json(exchange, json, sizeof(double)); !charged)
    return Unexpected(charged.error());
  return parse_inference_request(exchange.request.body, *length);
}

Result<void> check_shape(const TensorSpec& spec, const NamedTensor& input) {
  const Shape row = input.shape.without_batch();
  bool fits = input.shape.rank() > 0 && (spec.any_rank || row.rank() == spec.shape.rank());
  for (std::size_t i = 0; fits && !spec.any_rank && i < row.rank(); ++i)
    fits = spec.shape[i] < 0 || spec.shape[i] == row[i];
  if (fits) return {};
  return invalid("inputs." + input.name + ".shape: " + input.shape.text() + ", the model takes " +
                 spec.shape.with_batch(-1).text());
}

/// Returns the inputs in the model's order. An input of BYTES has no numbers.
Result<std::vector<Tensor>> in_order(const ServedModel& model, const InferenceRequest& request) {
  const ModelSignature& signature = model.engine->model().backend->signature();
  for (const NamedTensor& input : request.inputs) {
    if (std::ranges::find(signature.inputs, input.name, &TensorSpec::name) != signature.inputs.end())
      continue;
    std::string known;
    for (const TensorSpec& spec : signature.inputs) known += (known.empty() ? "" : ", ") + spec.name;
    return invalid("inputs: " + in_quotes(input.name) + " is not an input of the model, which takes " +
                   known);
  }
  std::vector<Tensor> tensors;
  for (const TensorSpec& spec : signature.inputs) {
    const auto found = std::ranges::find(request.inputs, spec.name, &NamedTensor::name);
    if (found == request.inputs.end()) return invalid("inputs: " + spec.name + " is missing");
    if (!found->is_bytes) {
      if (found->numbers.dtype() != spec.dtype) {
        return invalid("inputs." + spec.name +
                       ".datatype: " + std::string(to_string(found->numbers.dtype())) + ", the model takes " +
                       std::string(to_string(spec.dtype)));
      }
      if (auto fits = check_shape(spec, *found); !fits) return Unexpected(fits.error());
    } else if (!takes_images(model)) {
      return invalid("inputs." + spec.name + ".datatype: BYTES, the model takes " +
                     std::string(to_string(spec.dtype)));
    }
    tensors.push_back(found->numbers);
  }
  return tensors;
}

/// Limits the number of rows, because a row costs memory even if it has no bytes.
Result<void> check_rows(const NamedTensor& input, const ServerOptions& limits) {
  const std::size_t rows = input.shape.rank() == 0 ? 0 : static_cast<std::size_t>(input.shape[0]);
  const char* name = input.is_bytes ? "max_images " : "max_rows ";
  const std::size_t limit = input.is_bytes ? limits.max_images : limits.max_rows;
  if (rows <= limit) return {};
  return invalid("inputs." + input.name + ".shape: " + std::to_string(rows) + " rows exceed " + name +
                     std::to_string(limit),
                 ErrorDetail::kTooLarge);
}

Result<TensorRows> run(const ServedModel& model, const InferenceRequest& request, const ServerOptions& limits,
                       const RequestOptions& options, Permit permit) {
  auto tensors = in_order(model, request);
  if (!tensors) return Unexpected(tensors.error());
  for (const NamedTensor& input : request.inputs) {
    if (auto few = check_rows(input, limits); !few) return Unexpected(few.error());
  }
  const TensorRunner runner(model.engine);
  const NamedTensor& first = request.inputs.front();
  if (!first.is_bytes) return runner.run(*tensors, options, std::move(permit));
  // The request sends encoded images instead of the pixels that the model takes.
  return runner.run(
      first.strings.size(),
      [&](std::size_t i) { return model.task->prepare_image(first.strings[i], options); }, options,
      std::move(permit));
}

std::string_view wanted_version(const Exchange& exchange) {
  return exchange.request.path_parameters.size() > 1 ? std::string_view(exchange.request.path_parameters[1])
                                                     : "";
}

/// Quick requests are short and do not have to wait.
bool is_quick(Service& service, const Exchange& exchange) {
  constexpr std::size_t kQuickBytes = 4096;
  if (exchange.request.body.size() > kQuickBytes) return false;
  const auto model = service.models().find(exchange.request.path_parameters[0], wanted_version(exchange));
  // An image may have to wait for decoding memory.
  return model == nullptr || (model->engine->model().backend->is_instant() && !takes_images(*model));
}

/// Returns `unknown_model` with a list of the existing models or versions.
Error unknown_model_of(const Service& service, const std::string& name, const std::string& version) {
  Error error = unknown_model(name, version);
  std::string known;
  for (const auto& model : service.models().all()) {
    const Model& loaded = model->engine->model();
    const bool of_name = service.models().find(name, {}) != nullptr;
    if (of_name ? loaded.name != name : !model->by_default) continue;
    known += (known.empty() ? "" : ", ") + (of_name ? loaded.version : loaded.name);
  }
  if (!known.empty()) error.message += "; available: " + known;
  return error;
}

/// Charges the memory of an answer: JSON takes several times the bytes of its numbers, and growing a text
/// copies it.
Result<void> charge_answer(const Exchange& exchange, const InferenceRequest& request,
                           const std::vector<std::vector<Tensor>>& rows) {
  constexpr std::size_t kNotWorthIt = std::size_t{64} << 10;
  const bool json = request.outputs.empty() ? !request.binary_output
                                            : !std::ranges::all_of(request.outputs, &RequestedOutput::binary);
  std::size_t bytes = 0;
  for (const auto& row : rows) {
    for (const Tensor& output : row) bytes += output.bytes() + (json ? 2 * most_json_bytes(output) : 0);
  }
  return bytes > kNotWorthIt && exchange.request.charge ? exchange.request.charge(bytes) : Result<void>();
}

void infer(Service& service, Exchange& exchange) {
  const std::string& name = exchange.request.path_parameters[0];
  const std::string version(wanted_version(exchange));
  const auto model = service.models().find(name, version);
  if (model == nullptr) return answer_error(exchange, unknown_model_of(service, name, version));
  if (auto admitted = exchange.call.take(model); !admitted) return refuse(exchange, admitted.error());
  auto request = read_request(exchange, *model);
  if (!request) return refuse(exchange, request.error());
  RequestOptions options = exchange.call.options();
  if (request->timeout)
    options.deadline = std::min(options.deadline, exchange.call.start + *request->timeout);
  auto result = run(*model, *request, service.options(), options, exchange.call.permit());
  if (!result) return refuse(exchange, result.error());
  exchange.call.ran(result->timings, result->batch_size, result->rows.size());
  if (auto charged = charge_answer(exchange, *request, result->rows); !charged)
    return refuse(exchange, charged.error());
  auto response = write_inference_response(model->engine->model(), *request, result->rows);
  if (!response) return refuse(exchange, response.error());
  if (response->has_binary) {
    exchange.answer.headers.emplace_back(kJsonLengthHeader, std::to_string(response->json.size()));
    exchange.answer.content_type = "application/octet-stream";
  }
  exchange.answer.text = std::move(response->json);
  exchange.answer.binary = std::move(response->binary);
  exchange.answer.compressible = true;
}

constexpr const char* kRequest =
    R"({"type":"object","required":["inputs"],"properties":{"id":{"type":"string"},"parameters":{"type":"object"},)"
    R"("inputs":{"type":"array","items":{"type":"object","required":["name","shape","datatype"],"properties":{)"
    R"("name":{"type":"string"},"shape":{"type":"array","items":{"type":"integer","minimum":0}},)"
    R"("datatype":{"enum":["BOOL","UINT8","UINT16","UINT32","UINT64","INT8","INT16","INT32","INT64","FP16","BF16","FP32","FP64","BYTES"]},)"
    R"("parameters":{"type":"object"},"data":{"type":"array"}}}},)"
    R"("outputs":{"type":"array","items":{"type":"object","required":["name"],"properties":{"name":{"type":"string"},)"
    R"("parameters":{"type":"object"}}}}}})";

constexpr const char* kResponse =
    R"({"type":"object","required":["model_name","model_version","outputs"],"properties":{"model_name":{"type":"string"},)"
    R"("model_version":{"type":"string"},"id":{"type":"string"},"outputs":{"type":"array","items":{"type":"object",)"
    R"("required":["name","shape","datatype"]}}}})";

}  // namespace

void add_inference_routes(Router& router, Service& service) {
  for (const char* path : {"/v2/models/{model}/infer", "/v2/models/{model}/versions/{version}/infer"}) {
    router.add({.method = "POST",
                .path = path,
                .summary = "Run a model on tensors (Open Inference Protocol v2)",
                .handle = [&service](Exchange& exchange) { infer(service, exchange); },
                .work = true,
                .request = {{"application/json", kRequest},
                            {"application/octet-stream", R"({"type":"string","format":"binary"})"}},
                .response = kResponse,
                .quick = [&service](const Exchange& exchange) { return is_quick(service, exchange); }});
  }
}

}  // namespace infer::http
