#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "infer/engine/engine.h"
#include "infer/text/tokenizer.h"
#include "run_many.h"

namespace infer::inline v0 {

/// The tokenizer of an engine's model, whose signature it checks: ids and mask in, one vector out. Errors:
/// `kInvalidArgument`, `kNotFound` (vocabulary).
Result<std::shared_ptr<const Tokenizer>> open_tokenizer(const Engine& engine);

/// Ids and mask of a text, or of its tokens, padded to the shortest allowed length; it costs what it has
/// tokens. Errors: `kInvalidArgument` (too long, unless `truncate`; unknown tokens), `kOutOfMemory`.
Result<PreparedSample> text_sample(const Engine& engine, const Tokenizer& tokenizer, std::string_view text,
                                   bool truncate);
Result<PreparedSample> text_sample(const Engine& engine, const Tokenizer& tokenizer,
                                   std::span<const std::int64_t> tokens, bool truncate);

}  // namespace infer::inline v0
