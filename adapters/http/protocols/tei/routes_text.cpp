#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "calls/choose_model.h"
#include "engine/json_writer.h"
#include "infer/core/invalid.h"
#include "json/json_body.h"
#include "protocols/tei/routes_text.h"
#include "service.h"
#include "tasks/vectors.h"

namespace infer::http {

namespace {

/// The status of text-embeddings-inference for a missing field or a wrong type.
constexpr int kUnprocessable = 422;

void refuse_field(Exchange& exchange, const Error& error) {
  if (error.code != ErrorCode::kInvalidArgument || error.detail != ErrorDetail::kNone)
    return answer_error(exchange, error);
  answer_error(exchange, kUnprocessable, to_string(error.code), error.message);
}

/// How to embed texts, and the number of dimensions to keep.
struct HowToEmbed {
  TextOptions text;
  std::size_t dimensions = 0;
};

Result<HowToEmbed> read_how(JsonBody& body, std::size_t dim) {
  HowToEmbed how;
  how.dimensions = dim;
  for (auto done : {body.read("normalize", how.text.normalize), body.read("truncate", how.text.truncate),
                    body.read("dimensions", how.dimensions, 1, dim)}) {
    if (!done) return Unexpected(done.error());
  }
  // Refuse options that would change the result but are not implemented.
  if (body.find("prompt_name") != nullptr)
    return invalid("prompt_name: is not supported; put the prompt before each text");
  std::string direction = "right";
  if (auto read = body.read("truncation_direction", direction); !read) return Unexpected(read.error());
  if (direction != "right" && direction != "Right") {
    return invalid("truncation_direction: '" + direction.substr(0, 32) +
                   "' is not supported; texts are cut at the right");
  }
  return how;
}

/// Embeds the texts that `parse` returns. `answer` writes the result.
template <class Parse, class Answer>
void embed_texts(Service& service, Exchange& exchange, Parse parse, Answer answer) {
  ModelAdmission admission(service.models(), exchange, kTextEmbedding);
  if (!admission.before_body()) return;
  JsonBody body;
  if (auto parsed = body.parse(exchange); !parsed) return admission.refuse(parsed.error());
  if (!admission.choose(body)) return;
  const TextEmbedder& embedder = admission.task<TextEmbedder>();
  auto how = read_how(body, embedder.dim());
  if (!how) return refuse_field(exchange, how.error());
  Result<std::vector<std::string_view>> texts = parse(body);
  if (!texts) return refuse_field(exchange, texts.error());
  auto result = embedder.embed_many(*texts, how->text, exchange.call.options(), admission.permit());
  if (!result) return admission.refuse(result.error());
  exchange.call.ran(result->timings, result->batch_size, result->vectors.size());
  if (how->dimensions < embedder.dim()) {
    for (auto& vector : result->vectors) shorten(vector, how->dimensions, how->text.normalize);
  }
  JsonWriter json;
  answer(json, *result);
  exchange.answer.text = std::move(json).text();
}

/// Reads {"inputs": {"source_sentence": s, "sentences": [s]}}. The source comes first.
Result<std::vector<std::string_view>> parse_similarity(JsonBody& body, std::size_t limit) {
  const auto* inputs = body.find("inputs");
  if (inputs == nullptr) return invalid("inputs: is missing");
  simdjson::dom::object fields;
  if (inputs->get(fields)) return invalid("inputs: must be an object of source_sentence and sentences");
  std::string_view source;
  if (fields["source_sentence"].get(source)) return invalid("inputs.source_sentence: must be a string");
  simdjson::dom::element sentences;
  if (fields["sentences"].get(sentences) || !sentences.is_array())
    return invalid("inputs.sentences: must be a list of strings");
  auto texts = read_texts(sentences, "inputs.sentences", limit);
  if (!texts) return texts;
  texts->insert(texts->begin(), source);
  return texts;
}

void similarity(Service& service, Exchange& exchange) {
  embed_texts(
      service, exchange, [&](JsonBody& body) { return parse_similarity(body, service.options().max_texts); },
      [](JsonWriter& json, const TextEmbeddings& result) {
        json.begin_array();
        const std::vector<float>& source = result.vectors.front();
        for (std::size_t i = 1; i < result.vectors.size(); ++i) json.value(cosine(source, result.vectors[i]));
        json.end_array();
      });
}

}  // namespace

void shorten(std::vector<float>& vector, std::size_t dimensions, bool normalize) {
  vector.resize(std::min(vector.size(), dimensions));
  const double square = std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0);
  if (!normalize || !(square > 0)) return;
  for (float& value : vector) value = static_cast<float>(value / std::sqrt(square));
}

void embed_json(Service& service, Exchange& exchange) {
  embed_texts(
      service, exchange,
      [&](JsonBody& body) -> Result<std::vector<std::string_view>> {
        const auto* inputs = body.find("inputs");
        if (inputs == nullptr) return invalid("inputs: is missing");
        return read_texts(*inputs, "inputs", service.options().max_texts);
      },
      [](JsonWriter& json, const TextEmbeddings& result) {
        json.begin_array();
        for (const auto& vector : result.vectors) json.values(vector);
        json.end_array();
      });
}

void add_text_routes(Router& router, Service& service) {
  router.add(
      {.method = "POST",
       .path = "/similarity",
       .summary = "Cosine similarity of one sentence to several others",
       .handle = [&service](Exchange& exchange) { similarity(service, exchange); },
       .work = true,
       .request =
           {{"application/json",
             R"({"type":"object","required":["inputs"],"properties":{"inputs":{"type":"object",)"
             R"("required":["source_sentence","sentences"],"properties":{"source_sentence":{"type":"string"},)"
             R"("sentences":{"type":"array","minItems":1,"items":{"type":"string"}}}},"model":{"type":"string"},)"
             R"("version":{"type":"string"}}})"}},
       .response = R"({"type":"array","items":{"type":"number"}})"});
}

}  // namespace infer::http
