#include <numeric>
#include <utility>

#include "json_body.h"
#include "json_writer.h"
#include "model_request.h"
#include "routes_text.h"
#include "service.h"

namespace infer::http {

using adapter::JsonWriter;

namespace {

/// Admits, lets `parse` find the texts, embeds them, lets `answer` write what comes of it.
template <class Parse, class Answer>
void embed_texts(Service& service, Exchange& exchange, Parse parse, Answer answer) {
  const auto model = service.models().doing(&ServedModel::text_embedder);
  if (model == nullptr)
    return answer_error(exchange, Error{ErrorCode::kNotFound, "no text-embedding model is loaded", {}});
  Engine& engine = *model->engine;
  note_model(exchange, *model);
  auto permit = engine.try_admit();
  if (!permit) return refuse(exchange, engine, permit.error());
  JsonBody body;
  if (auto parsed = body.parse(exchange.body); !parsed) return refuse(exchange, engine, parsed.error());
  TextOptions how;
  how.truncate = false;
  for (auto done : {body.read("normalize", how.normalize), body.read("truncate", how.truncate)}) {
    if (!done) return refuse(exchange, engine, done.error());
  }
  Result<std::vector<std::string_view>> texts = parse(body);
  if (!texts) return refuse(exchange, engine, texts.error());
  auto result = model->text_embedder->embed_many(*texts, how, {exchange.deadline, exchange.hung_up},
                                                 *std::move(permit));
  if (!result) return refuse(exchange, engine, result.error());
  note_batch(exchange, result->timings, result->batch_size, result->vectors.size());
  JsonWriter json;
  answer(json, *result);
  exchange.response = std::move(json).text();
}

/// {"inputs": {"source_sentence": s, "sentences": [s]}}: the source first.
Result<std::vector<std::string_view>> parse_similarity(JsonBody& body, std::size_t limit) {
  const auto invalid = [](const char* what) { return fail(ErrorCode::kInvalidArgument, what); };
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
        for (std::size_t i = 1; i < result.vectors.size(); ++i)
          json.value(std::inner_product(source.begin(), source.end(), result.vectors[i].begin(), 0.0F));
        json.end_array();
      });
}

}  // namespace

void embed_json(Service& service, Exchange& exchange) {
  embed_texts(
      service, exchange,
      [&](JsonBody& body) -> Result<std::vector<std::string_view>> {
        const auto* inputs = body.find("inputs");
        if (inputs == nullptr) return fail(ErrorCode::kInvalidArgument, "inputs: is missing");
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
       .summary = "Cosine of a sentence with each of several",
       .handle = [&service](Exchange& exchange) { similarity(service, exchange); },
       .work = true,
       .request =
           {{"application/json",
             R"({"type":"object","required":["inputs"],"properties":{"inputs":{"type":"object",)"
             R"("required":["source_sentence","sentences"],"properties":{"source_sentence":{"type":"string"},)"
             R"("sentences":{"type":"array","minItems":1,"items":{"type":"string"}}}}}})"}},
       .response = R"({"type":"array","items":{"type":"number"}})"});
}

}  // namespace infer::http
