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
#include "infer/text/tokenizer.h"

namespace infer::inline v0 {

/// Splits text into the tokens of a BERT vocabulary, as Hugging Face's BertTokenizer does.
///
/// The tokenizer removes control characters, makes each Chinese character a word, and strips accents and
/// lowercases letters as the options say. It divides the text at white space and around punctuation, and
/// divides each word into the longest pieces that the vocabulary has, from the left (Wu et al., 2016,
/// "Google's Neural Machine Translation System"). "[CLS]", "[SEP]", "[MASK]", "[PAD]" and "[UNK]" in a text
/// stand for the special tokens. Bytes that are not UTF-8, and U+FFFD, are skipped. An encoded text begins
/// with [CLS] and ends with [SEP].
///
/// Cheap to copy.
class INFER_EXPORT WordPiece final : public Tokenizer {
 public:
  /// Makes a tokenizer from a vocabulary; the id of a token is its index.
  ///
  /// Errors: `kInvalidArgument` (a special token is missing, or a token occurs twice), `kOutOfMemory`.
  static Result<WordPiece> create(std::span<const std::string> vocabulary, const TokenizerSpec& spec);
  /// Makes a tokenizer from the file FOLDER/`spec.vocab`, which has one token per line; blocking.
  ///
  /// Errors: `kNotFound`, and those of `create`.
  static Result<WordPiece> open(const std::filesystem::path& folder, const TokenizerSpec& spec);

  Encoding encode(std::string_view text) const override;
  Result<Encoding> encode(std::span<const std::int64_t> tokens) const override;
  std::size_t count_tokens(std::string_view text, std::size_t most) const override;
  std::size_t max_tokens() const noexcept override;

 private:
  struct Tables;
  Encoding encode_up_to(std::string_view text, std::size_t max_tokens) const;
  explicit WordPiece(std::shared_ptr<const Tables> tables) noexcept;
  std::shared_ptr<const Tables> tables_;
};

}  // namespace infer::inline v0
