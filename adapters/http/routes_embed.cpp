#include <algorithm>
#include <span>
#include <utility>

#include "embed_request.h"
#include "json_writer.h"
#include "model_request.h"
#include "routes_text.h"
#include "service.h"

namespace infer::http {

using adapter::JsonWriter;

namespace {

void answer_embeddings(Exchange& exchange, const Model& model, const Embeddings& result) {
  JsonWriter json;
  json.begin_object().key("embeddings").begin_array();
  for (const auto& vector : result.vectors) json.values(vector);
  json.end_array();
  json.key("model").value(model.name).key("model_version").value(model.version);
  json.key("dim").value(result.vectors.front().size()).end_object();
  exchange.response = std::move(json).text();
  note_batch(exchange, result.timings, result.batch_size, result.vectors.size());
}

/// Admits, lets `parse` find the images, embeds them, answers.
template <class Parse>
void embed_images(Service& service, Exchange& exchange, Parse parse) {
  const auto model = service.models().doing(&ServedModel::image_embedder);
  if (model == nullptr) {
    return answer_error(exchange, Error{ErrorCode::kNotFound, "no image-embedding model is loaded", {}});
  }
  Engine& engine = *model->engine;
  note_model(exchange, *model);
  // First of all, so that what cannot be served costs nothing.
  auto permit = engine.try_admit();
  if (!permit) return refuse(exchange, engine, permit.error());
  Result<std::vector<EncodedImage>> images = parse();
  if (!images) return refuse(exchange, engine, images.error());
  const RequestOptions options{exchange.deadline, exchange.hung_up};
  auto result = model->image_embedder->embed_many(*images, options, *std::move(permit));
  if (!result) return refuse(exchange, engine, result.error());
  answer_embeddings(exchange, engine.model(), *result);
}

EncodedImage as_image(std::string_view bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

void embed_base64(Service& service, Exchange& exchange) {
  const std::string type = exchange.media_type();
  if (type != "application/json" && !type.empty() && type != "application/x-www-form-urlencoded") {
    return answer_error(
        exchange, Error{ErrorCode::kInvalidArgument, "Content-Type: '" + type + "' is not application/json",
                        ErrorDetail::kUnsupportedType});
  }
  std::vector<std::vector<std::uint8_t>> decoded;
  embed_images(service, exchange, [&]() -> Result<std::vector<EncodedImage>> {
    auto images = parse_images(exchange.body, service.options().max_images);
    if (!images) return Unexpected(images.error());
    decoded = *std::move(images);
    exchange.body = {};  // not held while the images wait
    return std::vector<EncodedImage>(decoded.begin(), decoded.end());
  });
}

void embed(Service& service, Exchange& exchange) {
  const std::string type = exchange.media_type();
  if (type == "application/json") return embed_json(service, exchange);
  if (type == "multipart/form-data") {
    return embed_images(service, exchange, [&]() -> Result<std::vector<EncodedImage>> {
      if (exchange.parts.empty())
        return fail(ErrorCode::kInvalidArgument, "parts: there are none, at least 1 image is needed");
      if (exchange.parts.size() > service.options().max_images) {
        return too_many_images(exchange.parts.size(), service.options().max_images);
      }
      std::vector<EncodedImage> images;
      for (const Part& part : exchange.parts) images.push_back(as_image(part.content));
      return images;
    });
  }
  if (type.starts_with("image/") || type == "application/octet-stream") {
    return embed_images(service, exchange, [&]() -> Result<std::vector<EncodedImage>> {
      return std::vector<EncodedImage>{as_image(exchange.body.text())};
    });
  }
  answer_error(
      exchange,
      Error{ErrorCode::kInvalidArgument,
            "Content-Type: '" + type +
                "' is none of image/*, application/octet-stream, multipart/form-data, application/json",
            ErrorDetail::kUnsupportedType});
}

constexpr const char* kResponse =
    R"({"type":"object","required":["embeddings","model","model_version","dim"],"properties":{"embeddings":{"type":"array",)"
    R"("items":{"type":"array","items":{"type":"number"}}},"model":{"type":"string"},"model_version":{"type":"string"},)"
    R"("dim":{"type":"integer"}}})";

}  // namespace

void add_embed_routes(Router& router, Service& service) {
  router.add(
      {.method = "POST",
       .path = "/embed/base64",
       .summary = "Unit vectors of JPEG or PNG images, in input order",
       .handle = [&service](Exchange& exchange) { embed_base64(service, exchange); },
       .work = true,
       .request =
           {{"application/json",
             R"({"type":"object","required":["images"],"properties":{"images":{"type":"array","minItems":1,)"
             R"("items":{"type":"string","contentEncoding":"base64"}}}})"}},
       .response = kResponse});
  router.add(
      {.method = "POST",
       .path = "/embed",
       .summary = "Vectors of images given as they are, or of texts given as JSON",
       .handle = [&service](Exchange& exchange) { embed(service, exchange); },
       .work = true,
       .request =
           {{"image/*", R"({"type":"string","format":"binary"})"},
            {"application/octet-stream", R"({"type":"string","format":"binary"})"},
            {"multipart/form-data",
             R"({"type":"object","additionalProperties":{"type":"string","format":"binary"}})"},
            {"application/json",
             R"({"type":"object","required":["inputs"],"properties":{"inputs":{"anyOf":[{"type":"string"},)"
             R"({"type":"array","minItems":1,"items":{"type":"string"}}]},"normalize":{"type":"boolean"},)"
             R"("truncate":{"type":"boolean"}}})"}},
       .response = std::string(R"({"anyOf":[)") + kResponse +
                   R"(,{"type":"array","items":{"type":"array","items":{"type":"number"}}}]})"});
}

}  // namespace infer::http
