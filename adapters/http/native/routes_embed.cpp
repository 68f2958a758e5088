#include <utility>

#include "calls/choose_model.h"
#include "engine/json_writer.h"
#include "native/embed_request.h"
#include "protocols/tei/routes_text.h"
#include "service.h"

namespace infer::http {

namespace {

void answer_embeddings(Exchange& exchange, const Model& model, const Embeddings& result) {
  JsonWriter json;
  json.begin_object().key("embeddings").begin_array();
  for (const auto& vector : result.vectors) json.values(vector);
  json.end_array();
  json.key("model").value(model.name).key("model_version").value(model.version);
  json.key("dim").value(result.vectors.front().size()).end_object();
  exchange.answer.text = std::move(json).text();
  exchange.call.ran(result.timings, result.batch_size, result.vectors.size());
}

EncodedImage as_image(std::string_view bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

void embed_images(Exchange& exchange, ModelAdmission& admission, const std::vector<EncodedImage>& images) {
  const ServedModel& model = admission.model();
  const RequestOptions options = exchange.call.options();
  auto result = admission.task<ImageEmbedder>().embed_many(images, options, admission.permit());
  if (!result) return admission.refuse(result.error());
  answer_embeddings(exchange, model.engine->model(), *result);
}

void embed_base64(Service& service, Exchange& exchange) {
  const std::string type = exchange.request.media_type();
  if (type != "application/json" && !type.empty() && type != "application/x-www-form-urlencoded") {
    return answer_error(
        exchange, Error{ErrorCode::kInvalidArgument, "Content-Type: '" + type + "' is not application/json",
                        ErrorDetail::kUnsupportedType});
  }
  ModelAdmission admission(service.models(), exchange, kImageEmbedding);
  if (!admission.before_body()) return;
  std::vector<std::vector<std::uint8_t>> decoded;
  {
    JsonBody body;
    if (auto parsed = body.parse(exchange); !parsed) return admission.refuse(parsed.error());
    if (!admission.choose(body)) return;
    auto images = parse_images(body, service.options().max_images);
    if (!images) return admission.refuse(images.error());
    decoded = *std::move(images);
  }
  exchange.request.body = {};  // frees memory while the images wait
  embed_images(exchange, admission, {decoded.begin(), decoded.end()});
}

/// Embeds the images of a multipart body. Text fields may name the model.
void embed_parts(Service& service, Exchange& exchange) {
  ModelAdmission admission(service.models(), exchange, kImageEmbedding);
  WantedModel wanted;
  std::vector<EncodedImage> images;
  for (const Part& part : exchange.request.parts) {
    const bool is_text = part.content_type.empty() || part.content_type.starts_with("text/plain");
    if (is_text && part.name == "model") {
      wanted.name = part.content;
    } else if (is_text && part.name == "version") {
      wanted.version = part.content;
    } else {
      images.push_back(as_image(part.content));
    }
  }
  if (!admission.choose(wanted)) return;
  const std::size_t limit = service.options().max_images;
  if (images.empty()) {
    return admission.refuse(
        {ErrorCode::kInvalidArgument, "parts: none is an image, at least 1 image is needed", {}});
  }
  if (images.size() > limit) return admission.refuse(too_many_images(images.size(), limit).error());
  embed_images(exchange, admission, images);
}

void embed_body(Service& service, Exchange& exchange) {
  ModelAdmission admission(service.models(), exchange, kImageEmbedding);
  if (admission.choose(WantedModel{}))
    embed_images(exchange, admission, {as_image(exchange.request.body.text())});
}

void embed(Service& service, Exchange& exchange) {
  const std::string type = exchange.request.media_type();
  if (type == "application/json") return embed_json(service, exchange);
  if (type == "multipart/form-data") return embed_parts(service, exchange);
  if (type.starts_with("image/") || type == "application/octet-stream") return embed_body(service, exchange);
  answer_error(exchange, Error{ErrorCode::kInvalidArgument,
                               "Content-Type: '" + type +
                                   "' is not supported; use image/*, application/octet-stream, "
                                   "multipart/form-data or application/json",
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
             R"("items":{"type":"string","contentEncoding":"base64"}},"model":{"type":"string"},)"
             R"("version":{"type":"string"}}})"}},
       .response = kResponse});
  router.add(
      {.method = "POST",
       .path = "/embed",
       .summary = "Vectors of images sent as bytes, or of texts sent as JSON",
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
             R"("truncate":{"type":"boolean"},"dimensions":{"type":"integer","minimum":1},)"
             R"("model":{"type":"string"},"version":{"type":"string"}}})"}},
       .response = std::string(R"({"anyOf":[)") + kResponse +
                   R"(,{"type":"array","items":{"type":"array","items":{"type":"number"}}}]})"});
}

}  // namespace infer::http
