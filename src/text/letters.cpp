#include <algorithm>
#include <memory>
#include <utility>

#include "infer/text/tokenizer.h"

namespace infer::inline v0 {
namespace {

/// Each byte is a token, as in ByT5 without its end of text: its id is its value plus 3.
class Letters final : public Tokenizer {
 public:
  explicit Letters(std::size_t max_tokens) : max_tokens_(max_tokens) {}

  Encoding encode(std::string_view text) const override {
    Encoding encoding;
    encoding.truncated = text.size() > max_tokens_;
    for (const char c : text.substr(0, max_tokens_))
      encoding.ids.push_back(static_cast<unsigned char>(c) + 3);
    return encoding;
  }
  Result<Encoding> encode(std::span<const std::int64_t> tokens) const override {
    Encoding encoding;
    encoding.truncated = tokens.size() > max_tokens_;
    encoding.ids.assign(tokens.begin(),
                        tokens.begin() + static_cast<std::ptrdiff_t>(std::min(tokens.size(), max_tokens_)));
    const bool known = std::ranges::all_of(encoding.ids, [](std::int64_t id) { return id >= 0 && id < 259; });
    if (!known) return fail(ErrorCode::kInvalidArgument, "a token id is outside 0 to 258");
    return encoding;
  }
  std::size_t count_tokens(std::string_view text, std::size_t most) const override {
    return std::min(text.size(), most);
  }
  std::size_t max_tokens() const noexcept override { return max_tokens_; }

 private:
  std::size_t max_tokens_;
};

}  // namespace

Result<std::shared_ptr<const Tokenizer>> open_letters(const std::filesystem::path&,
                                                      const TokenizerSpec& spec) {
  return std::make_shared<const Letters>(spec.max_tokens);
}

}  // namespace infer::inline v0
