#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <string>
#include <utility>

#include "base64.h"
#include "calls/choose_model.h"
#include "engine/json_writer.h"
#include "infer/core/invalid.h"
#include "json/json_body.h"
#include "protocols/tei/routes_text.h"
#include "service.h"

namespace infer::http {

namespace {

using simdjson::dom::array;
using simdjson::dom::element;

/// Vectors for the inputs of a request.
struct Answer {
  std::vector<std::vector<float>> vectors;
  std::size_t tokens = 0;
  Timings timings;
  std::size_t batch_size = 0;
};

/// Reads a list of token ids. Returns false if `value` is another type.
bool read_tokens(const element& value, std::vector<std::int64_t>& tokens) {
  array list;
  if (value.get(list) || list.size() == 0) return false;
  for (const element item : list) {
    std::int64_t id = 0;
    if (item.get(id)) return false;
    tokens.push_back(id);
  }
  return true;
}

/// Reads [ids] or [[ids]]. Returns an empty list if the input is text.
Result<std::vector<std::vector<std::int64_t>>> read_token_lists(const element& input, std::size_t limit) {
  std::vector<std::vector<std::int64_t>> texts;
  if (std::vector<std::int64_t> one; read_tokens(input, one)) {
    texts.push_back(std::move(one));
    return texts;
  }
  array list;
  if (input.get(list) || list.size() == 0 || !list.at(0).is_array()) return texts;
  for (const element item : list) {
    std::vector<std::int64_t> tokens;
    if (!read_tokens(item, tokens))
      return invalid("input[" + std::to_string(texts.size()) +
                     "]: must be a list of token ids like the first");
    if (texts.size() == limit)
      return invalid("input: more than max_texts " + std::to_string(limit), ErrorDetail::kTooLarge);
    texts.push_back(std::move(tokens));
  }
  return texts;
}

Answer to_answer(TextEmbeddings&& result) {
  return {std::move(result.vectors), result.tokens, result.timings, result.batch_size};
}

Result<Answer> embed_texts(const TextEmbedder& embedder, const element& input, std::size_t limit,
                           const RequestOptions& options, Permit permit) {
  TextOptions how;
  how.truncate = false;  // like OpenAI, report an input that is too long
  auto tokens = read_token_lists(input, limit);
  if (!tokens) return Unexpected(tokens.error());
  if (!tokens->empty()) {
    auto result = embedder.embed_tokens(*tokens, how, options, std::move(permit));
    if (!result) return Unexpected(result.error());
    return to_answer(*std::move(result));
  }
  auto texts = read_texts(input, "input", limit);
  if (!texts) return Unexpected(texts.error());
  auto result = embedder.embed_many(*texts, how, options, std::move(permit));
  if (!result) return Unexpected(result.error());
  return to_answer(*std::move(result));
}

Result<Answer> embed_images(const ImageEmbedder& embedder, const element& input, std::size_t limit,
                            const RequestOptions& options, Permit permit) {
  auto texts = read_texts(input, "input", limit);
  if (!texts) return Unexpected(texts.error());
  std::vector<std::vector<std::uint8_t>> images;
  for (const std::string_view text : *texts) {
    auto image = adapter::decode_base64(text);
    if (!image)
      return invalid("input[" + std::to_string(images.size()) + "]: must be an image as base64 or as " +
                     "data:image/jpeg;base64,...: " + image.error().message);
    images.push_back(*std::move(image));
  }
  const std::vector<EncodedImage> views(images.begin(), images.end());
  auto result = embedder.embed_many(views, options, std::move(permit));
  if (!result) return Unexpected(result.error());
  return Answer{std::move(result->vectors), 0, result->timings, result->batch_size};
}

/// Encodes the floats in little-endian order, as they are in memory.
std::string base64(const std::vector<float>& vector) {
  std::vector<std::uint8_t> bytes(vector.size() * sizeof(float));
  std::memcpy(bytes.data(), vector.data(), bytes.size());
  return adapter::encode_base64(bytes);
}

void embeddings(Service& service, Exchange& exchange) {
  JsonBody body;
  if (auto parsed = body.parse(exchange); !parsed) return answer_error(exchange, parsed.error());
  std::string format = "float";
  if (auto read = body.read("encoding_format", format); !read) return answer_error(exchange, read.error());
  if (format != "float" && format != "base64") {
    return answer_error(
        exchange,
        invalid("encoding_format: '" + format.substr(0, 32) + "' is not one of float, base64").error());
  }
  auto wanted = read_wanted_model(body);
  if (wanted) wanted = with_query(exchange, *wanted);
  if (!wanted) return answer_error(exchange, wanted.error());
  // A request without a model is for text, if a text model is loaded.
  const bool text = !wanted->name && choose_model(service.models(), *wanted, kTextEmbedding);
  ModelAdmission admission(service.models(), exchange, text ? kTextEmbedding : kEmbedding);
  if (!admission.choose(*wanted)) {
    if (exchange.answer.status == 404) exchange.answer.failure->code = "model_not_found";
    return;
  }
  const auto* const texts = admission.model().task->as<TextEmbedder>();
  const auto* const images = admission.model().task->as<ImageEmbedder>();
  const std::size_t dim = texts != nullptr ? texts->dim() : images->dim();
  std::size_t dimensions = dim;
  if (auto read = body.read("dimensions", dimensions, 1, dim); !read) return admission.refuse(read.error());
  const element* input = body.find("input");
  if (input == nullptr) return admission.refuse(invalid("input: is missing").error());
  const RequestOptions options = exchange.call.options();
  auto answer =
      texts != nullptr
          ? embed_texts(*texts, *input, service.options().max_texts, options, admission.permit())
          : embed_images(*images, *input, service.options().max_images, options, admission.permit());
  if (!answer) return admission.refuse(answer.error());
  exchange.call.ran(answer->timings, answer->batch_size, answer->vectors.size());
  JsonWriter json;
  json.begin_object().key("object").value("list").key("data").begin_array();
  for (std::size_t i = 0; i < answer->vectors.size(); ++i) {
    std::vector<float>& vector = answer->vectors[i];
    if (dimensions < dim) shorten(vector, dimensions, true);
    json.begin_object().key("object").value("embedding").key("index").value(i).key("embedding");
    if (format == "base64") {
      json.value(base64(vector));
    } else {
      json.values(vector);
    }
    json.end_object();
  }
  json.end_array().key("model").value(admission.model().engine->model().name);
  json.key("usage").begin_object().key("prompt_tokens").value(answer->tokens);
  json.key("total_tokens").value(answer->tokens).end_object().end_object();
  exchange.answer.text = std::move(json).text();
}

void write_model(JsonWriter& json, const ServedModel& model) {
  json.begin_object().key("id").value(model.engine->model().name).key("object").value("model");
  json.key("created").value(model.created_seconds).key("owned_by").value("libinfer").end_object();
}

void list_models(Service& service, Exchange& exchange) {
  JsonWriter json;
  json.begin_object().key("object").value("list").key("data").begin_array();
  for (const auto& model : service.models().all()) {
    if (model->by_default) write_model(json, *model);
  }
  json.end_array().end_object();
  exchange.answer.text = std::move(json).text();
}

void one_model(Service& service, Exchange& exchange) {
  const std::string& name = exchange.request.path_parameters[0];
  const auto model = service.models().find(name, {});
  if (model == nullptr)
    return answer_error(exchange, 404, "model_not_found", "model " + in_quotes(name) + " does not exist");
  JsonWriter json;
  write_model(json, *model);
  exchange.answer.text = std::move(json).text();
}

}  // namespace

void add_openai_routes(Router& router, Service& service) {
  router.add(
      {.method = "POST",
       .path = "/v1/embeddings",
       .summary = "Vectors of texts, tokens or images in OpenAI's shape",
       .handle = [&service](Exchange& exchange) { embeddings(service, exchange); },
       .work = true,
       .request =
           {{"application/json",
             R"({"type":"object","required":["input"],"properties":{"input":{"anyOf":[{"type":"string"},)"
             R"({"type":"array","minItems":1,"items":{"type":"string"}},{"type":"array","minItems":1,"items":{"type":"integer"}},)"
             R"({"type":"array","minItems":1,"items":{"type":"array","minItems":1,"items":{"type":"integer"}}}]},)"
             R"("model":{"type":"string"},"version":{"type":"string"},"encoding_format":{"enum":["float","base64"]},)"
             R"("dimensions":{"type":"integer","minimum":1},"user":{"type":"string"}}})"}},
       .response =
           R"({"type":"object","required":["object","data","model","usage"],"properties":{"object":{"const":"list"},)"
           R"("data":{"type":"array","items":{"type":"object","required":["object","index","embedding"]}},)"
           R"("model":{"type":"string"},"usage":{"type":"object","required":["prompt_tokens","total_tokens"]}}})"});
  router.add({.method = "GET",
              .path = "/v1/models",
              .summary = "The models, in OpenAI's shape",
              .handle = [&service](Exchange& exchange) { list_models(service, exchange); },
              .response = R"({"type":"object","required":["object","data"]})"});
  router.add({.method = "GET",
              .path = "/v1/models/{model}",
              .summary = "One of the models, in OpenAI's shape",
              .handle = [&service](Exchange& exchange) { one_model(service, exchange); },
              .response = R"({"type":"object","required":["id","object","created","owned_by"]})"});
}

}  // namespace infer::http
