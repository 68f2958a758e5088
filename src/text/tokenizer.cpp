#include "infer/text/tokenizer.h"

#include <algorithm>
#include <array>
#include <string>

#include "infer/core/invalid.h"

namespace infer::inline v0 {
namespace {

using Opened = Result<std::shared_ptr<const Tokenizer>>;

/// A kind of tokenizer that infer.json may name.
struct TokenizerRow {
  std::string_view type;
  Opened (*open)(const std::filesystem::path& folder, const TokenizerSpec& spec);
};

}  // namespace

// Each function stands in the source file of its tokenizer.
Opened open_wordpiece(const std::filesystem::path& folder, const TokenizerSpec& spec);

namespace {

/// All tokenizers. To add one, add its source file, its row here, and the file to src/CMakeLists.txt.
constexpr auto kTokenizers = std::to_array<TokenizerRow>({{"wordpiece", open_wordpiece}});

}  // namespace

Opened open_tokenizer(const std::filesystem::path& folder, const TokenizerSpec& spec) {
  const auto row = std::ranges::find(kTokenizers, spec.type, &TokenizerRow::type);
  if (row != kTokenizers.end()) return row->open(folder, spec);
  std::string types;
  for (const TokenizerRow& known : kTokenizers)
    types += (types.empty() ? "" : ", ") + std::string(known.type);
  return invalid(folder.string() + ": infer.json: tokenizer.type: '" + spec.type.substr(0, 64) +
                 "' is not one of " + types);
}

}  // namespace infer::inline v0
