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
#include "infer/engine/manifest.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// Splits text into the tokens of a BERT vocabulary, as Hugging Face's BertTokenizer does.
///
/// Text is cleaned of control characters, Chinese characters become words of their own, accents go and
/// letters become small ones where the options say so, words end at white space and around punctuation, and
/// each word becomes the longest pieces that the vocabulary has, from the left (Wu et al., 2016, "Google's
/// Neural Machine Translation System"). "[CLS]", "[SEP]", "[MASK]", "[PAD]" and "[UNK]" in a text are the
/// special tokens, as they are there. Bytes that are no UTF-8 are left out, as U+FFFD is.
///
/// Immutable and thread-safe; cheap to copy.
class INFER_EXPORT WordPiece {
 public:
  /// The id of a token is its place. Errors: `kInvalidArgument` (a special token is missing, a token is there
  /// twice), `kOutOfMemory`.
  static Result<WordPiece> create(std::span<const std::string> vocabulary, const TokenizerSpec& spec);
  /// Reads FOLDER/`spec.vocab`, one token a line. Errors: `kNotFound`, and those of `create`.
  static Result<WordPiece> open(const std::filesystem::path& folder, const TokenizerSpec& spec);

  struct Encoding {
    std::vector<std::int64_t> ids;  ///< [CLS], the text's tokens, [SEP].
    bool truncated = false;         ///< The text had more tokens than `max_tokens` allows.
  };
  Encoding encode(std::string_view text) const;
  /// The same for a text that is tokens already; the special ones at its ends are added where they lack.
  /// Errors: `kInvalidArgument` for an id that the vocabulary does not have.
  Result<Encoding> encode(std::span<const std::int64_t> tokens) const;

  /// How many tokens a text has, the two special ones included, counted up to `most`.
  std::size_t count_tokens(std::string_view text, std::size_t most) const;

  std::size_t max_tokens() const noexcept;

 private:
  struct Tables;
  Encoding encode_up_to(std::string_view text, std::size_t max_tokens) const;
  explicit WordPiece(std::shared_ptr<const Tables> tables) noexcept;
  std::shared_ptr<const Tables> tables_;
};

}  // namespace infer::inline v0
