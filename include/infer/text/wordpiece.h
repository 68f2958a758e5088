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
/// The tokenizer removes control characters, makes each Chinese character a word, and strips accents and
/// lowercases letters as the options say. It divides the text at white space and around punctuation, and
/// divides each word into the longest pieces that the vocabulary has, from the left (Wu et al., 2016,
/// "Google's Neural Machine Translation System"). "[CLS]", "[SEP]", "[MASK]", "[PAD]" and "[UNK]" in a text
/// stand for the special tokens. Bytes that are not UTF-8, and U+FFFD, are skipped.
///
/// Immutable and thread-safe; cheap to copy. `encode` runs in the calling thread.
class INFER_EXPORT WordPiece {
 public:
  /// Makes a tokenizer from a vocabulary; the id of a token is its index.
  ///
  /// Errors: `kInvalidArgument` (a special token is missing, or a token occurs twice), `kOutOfMemory`.
  static Result<WordPiece> create(std::span<const std::string> vocabulary, const TokenizerSpec& spec);
  /// Makes a tokenizer from the file FOLDER/`spec.vocab`, which has one token per line; blocking.
  ///
  /// Errors: `kNotFound`, and those of `create`.
  static Result<WordPiece> open(const std::filesystem::path& folder, const TokenizerSpec& spec);

  /// The tokens of one text.
  struct Encoding {
    std::vector<std::int64_t> ids;  ///< [CLS], the tokens of the text, [SEP].
    bool truncated = false;         ///< True if the text had more tokens than `max_tokens` allows.
  };
  /// Returns the tokens of a text in UTF-8, cut to `max_tokens()`; may throw `std::bad_alloc`.
  Encoding encode(std::string_view text) const;
  /// Completes a text that is tokens already: adds missing special tokens at its ends, and cuts it to
  /// `max_tokens()`.
  ///
  /// Errors: `kInvalidArgument` for an id outside the vocabulary.
  Result<Encoding> encode(std::span<const std::int64_t> tokens) const;

  /// Counts the tokens of a text, the two special tokens included, up to `most`.
  std::size_t count_tokens(std::string_view text, std::size_t most) const;

  /// Returns the maximum length in tokens, the two special tokens included.
  std::size_t max_tokens() const noexcept;

 private:
  struct Tables;
  Encoding encode_up_to(std::string_view text, std::size_t max_tokens) const;
  explicit WordPiece(std::shared_ptr<const Tables> tables) noexcept;
  std::shared_ptr<const Tables> tables_;
};

}  // namespace infer::inline v0
