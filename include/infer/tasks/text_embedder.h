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
#include "infer/text/wordpiece.h"

namespace infer::inline v0 {

/// What to do with texts, beside embedding them.
struct TextOptions {
  bool normalize = true;  ///< Scale vectors to Euclidean length 1.
  bool truncate = true;   ///< Cut a text of too many tokens; false: refuse it.
};

/// Vectors in the order of the texts, and where the time went.
struct TextEmbeddings {
  std::vector<std::vector<float>> vectors;
  std::size_t tokens = 0;  ///< Of all texts, special tokens included.
  Timings timings;         ///< Of the slowest text.
  std::size_t batch_size = 0;
};

/// Texts in UTF-8 in, vectors out. Thread-safe: call it from as many threads as you like, it batches across
/// them.
///
/// Tokenising runs in the calling thread, the model on the engine's workers. Texts are padded to one of the
/// model's `allowed_lengths`; those of the same length share a batch, up to `max_batch_cost` tokens.
class INFER_EXPORT TextEmbedder {
 public:
  /// Loads models/NAME and warms it up; blocking. Errors: those of `open_engine` and `create`.
  static Result<TextEmbedder> open(const std::filesystem::path& directory, const OpenOptions& options = {});
  /// Uses an engine that others may use too. Errors: `kInvalidArgument` unless its model takes INT64 ids and
  /// their mask and gives one FP32 vector; `kNotFound` (vocabulary).
  static Result<TextEmbedder> create(std::shared_ptr<Engine> engine);

  /// Embeds one text; blocks until it is done. Errors: `kInvalidArgument` (too long, where `truncate` is
  /// off), and those of `Engine::submit`.
  Result<std::vector<float>> embed(std::string_view text, const TextOptions& how = {},
                                   const RequestOptions& options = {}) const;
  /// Embeds several as one request: all or an error that names the first bad one ("inputs[2]: ...").
  Result<TextEmbeddings> embed_many(std::span<const std::string_view> texts, const TextOptions& how = {},
                                    const RequestOptions& options = {}, Permit permit = {}) const;

  /// The same for texts that are tokens of the model's vocabulary already.
  Result<TextEmbeddings> embed_tokens(std::span<const std::vector<std::int64_t>> texts,
                                      const TextOptions& how = {}, const RequestOptions& options = {},
                                      Permit permit = {}) const;

  std::size_t dim() const noexcept { return dim_; }
  Engine& engine() const noexcept { return *engine_; }

 private:
  TextEmbedder(std::shared_ptr<Engine> engine, WordPiece tokenizer, std::size_t dim)
      : engine_(std::move(engine)), tokenizer_(std::move(tokenizer)), dim_(dim) {}

  template <class Text>
  Result<TextEmbeddings> embed_all(std::span<const Text> texts, const TextOptions& how,
                                   const RequestOptions& options, Permit permit) const;

  std::shared_ptr<Engine> engine_;
  WordPiece tokenizer_;
  std::size_t dim_;
};

}  // namespace infer::inline v0
