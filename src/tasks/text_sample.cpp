#include "text_sample.h"

#include <algorithm>
#include <chrono>

namespace infer::inline v0 {

Result<std::shared_ptr<const Tokenizer>> open_tokenizer(const Engine& engine) {
  const Model& model = engine.model();
  const ModelSignature& signature = model.backend->signature();
  if (!model.manifest.tokenizer)
    return fail(ErrorCode::kInvalidArgument, model.name + ": infer.json: tokenizer: is missing");
  const bool ids_and_mask = signature.inputs.size() == 2 && signature.inputs[0].dtype == DType::kInt64 &&
                            signature.inputs[1].dtype == DType::kInt64;
  if (!ids_and_mask) {
    return fail(ErrorCode::kInvalidArgument,
                model.name + ": a model of texts takes INT64 input_ids and attention_mask");
  }
  if (signature.outputs.size() != 1 || signature.outputs[0].dtype != DType::kFp32 ||
      signature.outputs[0].shape.rank() != 1 || signature.outputs[0].shape[0] <= 0) {
    return fail(ErrorCode::kInvalidArgument, model.name + ": a model of texts gives one FP32 vector");
  }
  const auto lengths = model.manifest.allowed_lengths.value_or(std::vector<std::size_t>());
  if (!lengths.empty() && lengths.back() < model.manifest.tokenizer->max_tokens) {
    return fail(ErrorCode::kInvalidArgument,
                model.name + ": infer.json: batch.allowed_lengths: " + std::to_string(lengths.back()) +
                    " is below tokenizer.max_tokens " + std::to_string(model.manifest.tokenizer->max_tokens));
  }
  return open_tokenizer(model.directory, *model.manifest.tokenizer);
}

namespace {

Result<PreparedSample> pad(const Engine& engine, const Tokenizer::Encoding& encoding, TimePoint start) {
  const auto& lengths = engine.options().allowed_lengths;
  const auto allowed = std::lower_bound(lengths.begin(), lengths.end(), encoding.ids.size());
  const std::size_t length = allowed == lengths.end() ? encoding.ids.size() : *allowed;
  auto ids = Tensor::allocate(DType::kInt64, Shape{static_cast<std::int64_t>(length)});
  if (!ids) return Unexpected(ids.error());
  auto mask = Tensor::allocate(DType::kInt64, Shape{static_cast<std::int64_t>(length)});
  if (!mask) return Unexpected(mask.error());
  const auto id_values = ids->as<std::int64_t>();
  std::copy(encoding.ids.begin(), encoding.ids.end(), id_values.begin());
  std::fill(id_values.begin() + static_cast<std::ptrdiff_t>(encoding.ids.size()), id_values.end(), 0);
  const auto mask_values = mask->as<std::int64_t>();
  std::fill_n(mask_values.begin(), encoding.ids.size(), 1);
  std::fill(mask_values.begin() + static_cast<std::ptrdiff_t>(encoding.ids.size()), mask_values.end(), 0);
  engine.prepare_seconds().observe(
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  PreparedSample prepared;
  prepared.cost = encoding.ids.size();
  prepared.sample.push_back(*std::move(ids));
  prepared.sample.push_back(*std::move(mask));
  return prepared;
}

Unexpected too_long(const std::string& tokens, const Tokenizer& tokenizer) {
  return fail(ErrorCode::kInvalidArgument,
              "has " + tokens + " tokens, max_tokens is " + std::to_string(tokenizer.max_tokens()) +
                  "; shorten it, or ask for truncation",
              ErrorDetail::kTooLarge);
}

}  // namespace

Result<PreparedSample> text_sample(const Engine& engine, const Tokenizer& tokenizer, std::string_view text,
                                   bool truncate) {
  const TimePoint start = std::chrono::steady_clock::now();
  const Tokenizer::Encoding encoding = tokenizer.encode(text);
  if (encoding.truncated && !truncate) {
    constexpr std::size_t kMost = 100'000;  // so far is counted for the message
    const std::size_t tokens = tokenizer.count_tokens(text, kMost);
    return too_long((tokens == kMost ? "at least " : "") + std::to_string(tokens), tokenizer);
  }
  return pad(engine, encoding, start);
}

Result<PreparedSample> text_sample(const Engine& engine, const Tokenizer& tokenizer,
                                   std::span<const std::int64_t> tokens, bool truncate) {
  const TimePoint start = std::chrono::steady_clock::now();
  auto encoding = tokenizer.encode(tokens);
  if (!encoding) return Unexpected(encoding.error());
  if (encoding->truncated && !truncate) {
    const std::int64_t first = encoding->ids.front();
    const std::int64_t last = encoding->ids.back();
    const std::size_t special = (tokens.front() != first ? 1U : 0U) + (tokens.back() != last ? 1U : 0U);
    return too_long(std::to_string(tokens.size() + special), tokenizer);
  }
  return pad(engine, *encoding, start);
}

}  // namespace infer::inline v0
