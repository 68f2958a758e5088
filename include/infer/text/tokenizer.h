#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "infer/core/result.h"
#include "infer/engine/manifest.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// Turns texts into the token ids that a model takes.
///
/// Immutable and thread-safe. Its functions run in the calling thread.
class INFER_EXPORT Tokenizer {
 public:
  /// The tokens of one text.
  struct Encoding {
    std::vector<std::int64_t> ids;  ///< The tokens of the text, between the special tokens of its ends.
    bool truncated = false;         ///< True if the text had more tokens than `max_tokens` allows.
  };

  virtual ~Tokenizer() = default;

  /// Returns the tokens of a text in UTF-8, cut to `max_tokens()`; may throw `std::bad_alloc`.
  virtual Encoding encode(std::string_view text) const = 0;
  /// Completes a text that is tokens already: adds missing special tokens at its ends, and cuts it to
  /// `max_tokens()`.
  ///
  /// Errors: `kInvalidArgument` for an id outside the vocabulary.
  virtual Result<Encoding> encode(std::span<const std::int64_t> tokens) const = 0;
  /// Counts the tokens of a text, special tokens included, up to `most`.
  virtual std::size_t count_tokens(std::string_view text, std::size_t most) const = 0;
  /// Returns the maximum length in tokens, special tokens included.
  virtual std::size_t max_tokens() const noexcept = 0;

 protected:
  Tokenizer() = default;                             ///< A tokenizer of a derived class.
  Tokenizer(const Tokenizer&) = default;             ///< For tokenizers that can be copied.
  Tokenizer& operator=(const Tokenizer&) = default;  ///< For tokenizers that can be copied.
};

/// Opens the tokenizer of `spec.type`, whose files are in `folder`; blocking.
///
/// Errors: `kInvalidArgument` (an unknown type; bad files), `kNotFound`, `kOutOfMemory`.
INFER_EXPORT Result<std::shared_ptr<const Tokenizer>> open_tokenizer(const std::filesystem::path& folder,
                                                                     const TokenizerSpec& spec);

}  // namespace infer::inline v0
