#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infer/core/result.h"
#include "infer/engine/engine.h"
#include "infer/engine/open.h"
#include "infer/export.h"
#include "infer/tasks/request.h"
#include "infer/text/tokenizer.h"

namespace infer::inline v0 {

/// How to embed texts.
struct TextOptions {
  bool normalize = true;  ///< Scale vectors to Euclidean length 1.
  bool truncate = true;   ///< Cut a text of too many tokens; false: refuse it.
};

/// The vectors of several texts.
struct TextEmbeddings {
  std::vector<std::vector<float>> vectors;  ///< One vector for each text, in order.
  std::size_t tokens = 0;                   ///< Tokens of all texts, special tokens included.
  Timings timings;                          ///< Times of the slowest text.
  std::size_t batch_size = 0;               ///< The largest batch that contained one of the texts.
};

/// Turns texts in UTF-8 into vectors.
///
/// Thread-safe: call it from any number of threads; the engine batches across them. Tokenising runs in the
/// calling thread, the model on the engine's workers. The embedder pads texts to one of the model's
/// `allowed_lengths`; texts of one length share a batch, up to `max_batch_cost` tokens. Cheap to copy; copies
/// share the engine.
class INFER_EXPORT TextEmbedder {
 public:
  /// Loads models/NAME and warms it up; blocking.
  ///
  /// Errors: those of `open_engine` and `create`.
  static Result<TextEmbedder> open(const std::filesystem::path& directory, const OpenOptions& options = {});
  /// Uses an engine that others may use too; its model must take INT64 ids and their mask and give one FP32
  /// vector.
  ///
  /// Errors: `kInvalidArgument` (another model), `kNotFound` (vocabulary).
  static Result<TextEmbedder> create(std::shared_ptr<Engine> engine);

  /// Embeds one text; blocks until the vector is there.
  ///
  /// Errors: `kInvalidArgument` (too many tokens while `truncate` is false), `kModelError` (also for an
  /// output that is not finite), and those of `Engine::submit`.
  Result<std::vector<float>> embed(std::string_view text, const TextOptions& how = {},
                                   const RequestOptions& options = {}) const;
  /// Embeds several texts as one request: gives all vectors, or an error that names the first bad text.
  ///
  /// The message begins with the text's index, such as "inputs[2]: ...". Blocks until all vectors are there.
  /// A permit taken earlier may be passed on.
  ///
  /// Errors: those of `embed`.
  Result<TextEmbeddings> embed_many(std::span<const std::string_view> texts, const TextOptions& how = {},
                                    const RequestOptions& options = {}, Permit permit = {}) const;

  /// Embeds several texts that are tokens of the model's vocabulary already; otherwise as `embed_many`.
  ///
  /// Errors: those of `embed`; `kInvalidArgument` for an id outside the vocabulary.
  Result<TextEmbeddings> embed_tokens(std::span<const std::vector<std::int64_t>> texts,
                                      const TextOptions& how = {}, const RequestOptions& options = {},
                                      Permit permit = {}) const;

  /// Returns the number of elements of a vector.
  std::size_t dim() const noexcept { return dim_; }
  /// Returns the engine, for its clock, statistics and drain; valid as long as the embedder.
  Engine& engine() const noexcept { return *engine_; }

 private:
  TextEmbedder(std::shared_ptr<Engine> engine, std::shared_ptr<const Tokenizer> tokenizer, std::size_t dim)
      : engine_(std::move(engine)), tokenizer_(std::move(tokenizer)), dim_(dim) {}

  template <class Text>
  Result<TextEmbeddings> embed_all(std::span<const Text> texts, const TextOptions& how,
                                   const RequestOptions& options, Permit permit) const;

  std::shared_ptr<Engine> engine_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::size_t dim_;
};

}  // namespace infer::inline v0
