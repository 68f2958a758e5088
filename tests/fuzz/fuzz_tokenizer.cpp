// Tokenizes any bytes: special tokens at both ends, ids of the vocabulary between them, never more than
// allowed.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "infer/text/wordpiece.h"

namespace {

const infer::WordPiece& tokenizer() {
  static const infer::WordPiece kTokenizer = [] {
    std::vector<std::string> words{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]",
                                   "the",   "film",  "##s",   "中",    "e"};
    for (char c = 'a'; c <= 'd'; ++c) {
      words.emplace_back(1, c);
      words.push_back(std::string("##") + c);
    }
    return infer::WordPiece::create(words, {.max_tokens = 64}).value();
  }();
  return kTokenizer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto encoding = tokenizer().encode({reinterpret_cast<const char*>(data), size});
  const auto& ids = encoding.ids;
  if (ids.size() < 2 || ids.size() > 64 || ids.front() != 2 || ids.back() != 3) std::abort();
  for (const auto id : ids) {
    if (id < 0 || id > 17) std::abort();
  }
  return 0;
}
