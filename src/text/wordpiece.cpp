#include "infer/text/wordpiece.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <map>
#include <new>
#include <utility>

#include "../engine/read_file.h"
#include "characters.h"
#include "trie.h"

namespace infer::inline v0 {
namespace {

/// Longer words become one unknown token, as in BERT.
constexpr std::size_t kMaxCharactersInWord = 100;

constexpr std::array<std::string_view, 5> kSpecial{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};

void append_utf8(std::string& out, std::uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
    return;
  }
  if (c < 0x800) {
    out += static_cast<char>(0xC0 | c >> 6);
  } else {
    if (c < 0x10000) {
      out += static_cast<char>(0xE0 | c >> 12);
    } else {
      out += static_cast<char>(0xF0 | c >> 18);
      out += static_cast<char>(0x80 | (c >> 12 & 0x3F));
    }
    out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
  }
  out += static_cast<char>(0x80 | (c & 0x3F));
}

}  // namespace

struct WordPiece::Tables {
  Trie words;
  Trie continuations;  // keys without their "##"
  std::array<std::int32_t, kSpecial.size()> special{};
  std::int64_t size = 0;
  bool lowercase = true;
  bool strip_accents = true;
  std::size_t max_tokens = 512;
  // What an ASCII byte becomes: its class, and the small letter.
  std::array<CharacterClass, 128> ascii_class{};
  std::array<char, 128> ascii{};

  std::int32_t unknown() const { return special[1]; }
};

namespace {

/// One text on its way to token ids.
class Encoder {
 public:
  Encoder(const Trie& words, const Trie& continuations, std::int32_t unknown, std::size_t room,
          std::vector<std::int64_t>& ids)
      : words_(words), continuations_(continuations), unknown_(unknown), end_(ids.size() + room), ids_(ids) {}

  bool full() const { return full_; }

  void add(char c) {
    word_ += c;
    ++characters_;
  }
  void add(std::uint32_t c) {
    append_utf8(word_, c);
    ++characters_;
  }
  void push(std::int32_t id) {
    if (ids_.size() == end_) {
      full_ = true;
    } else {
      ids_.push_back(id);
    }
  }

  /// Ends the word, if there is one.
  void end_word() {
    if (word_.empty()) return;
    split();
    word_.clear();
    characters_ = 0;
  }

 private:
  void split() {
    if (characters_ > kMaxCharactersInWord) return push(unknown_);
    std::string_view rest = word_;
    const std::size_t start = ids_.size();
    const Trie* trie = &words_;
    while (!rest.empty()) {
      const Trie::Match match = trie->longest(rest);
      if (match.value < 0) {  // one piece unknown, the whole word unknown
        ids_.resize(start);
        return push(unknown_);
      }
      // Pieces are counted against the bound only when the word is known to be whole.
      ids_.push_back(match.value);
      rest.remove_prefix(match.length);
      trie = &continuations_;
    }
    if (ids_.size() > end_) {
      ids_.resize(end_);
      full_ = true;
    }
  }

  const Trie& words_;
  const Trie& continuations_;
  const std::int32_t unknown_;
  const std::size_t end_;
  std::vector<std::int64_t>& ids_;
  std::string word_;
  std::size_t characters_ = 0;
  bool full_ = false;
};

void add_normalised(Encoder& encoder, std::uint32_t c, bool lowercase) {
  std::uint32_t small[2] = {c, 0};
  const int count = lowercase ? to_lower(c, small) : 1;
  for (int i = 0; i < count; ++i) {
    switch (character_class(small[i])) {
      case CharacterClass::kSpace:
        encoder.end_word();
        break;
      case CharacterClass::kPunctuation:
        encoder.end_word();
        encoder.add(small[i]);
        encoder.end_word();
        break;
      case CharacterClass::kRemoved:  // removed before; what normalising makes stays
      case CharacterClass::kLetter:
        encoder.add(small[i]);
        break;
    }
  }
}

}  // namespace

WordPiece::WordPiece(std::shared_ptr<const Tables> tables) noexcept : tables_(std::move(tables)) {}

Result<WordPiece> WordPiece::create(std::span<const std::string> vocabulary, const TokenizerSpec& spec) {
  try {
    std::map<std::string, std::int32_t> words;
    std::map<std::string, std::int32_t> continuations;
    for (std::size_t id = 0; id < vocabulary.size(); ++id) {
      const std::string& token = vocabulary[id];
      if (!words.emplace(token, static_cast<std::int32_t>(id)).second)
        return fail(ErrorCode::kInvalidArgument,
                    "vocabulary: '" + token + "' occurs twice, the second time at " + std::to_string(id));
      if (token.size() > 2 && token.starts_with("##"))
        continuations.emplace(token.substr(2), static_cast<std::int32_t>(id));
    }
    auto tables = std::make_shared<Tables>();
    for (std::size_t i = 0; i < kSpecial.size(); ++i) {
      const auto found = words.find(std::string(kSpecial[i]));
      // A vocabulary without [MASK] never masks, and one without [PAD] is padded with what the mask hides.
      if (found == words.end() && i != 0 && i != 4)
        return fail(ErrorCode::kInvalidArgument, "vocabulary: has no " + std::string(kSpecial[i]));
      tables->special[i] = found == words.end() ? -1 : found->second;
    }
    tables->words = Trie(words);
    tables->continuations = Trie(continuations);
    tables->size = static_cast<std::int64_t>(vocabulary.size());
    tables->lowercase = spec.lowercase;
    tables->strip_accents = spec.strip_accents.value_or(spec.lowercase);
    tables->max_tokens = spec.max_tokens;
    for (std::uint32_t c = 0; c < 128; ++c) {
      tables->ascii_class[c] = character_class(c);
      tables->ascii[c] = static_cast<char>(spec.lowercase && c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    return WordPiece(std::move(tables));
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  }
}

Result<WordPiece> WordPiece::open(const std::filesystem::path& folder, const TokenizerSpec& spec) {
  const std::filesystem::path path = folder / spec.vocab;
  std::ifstream file(path, std::ios::binary);
  if (!file) return Unexpected(unreadable(path, errno));
  std::vector<std::string> vocabulary;
  for (std::string line; std::getline(file, line);) {
    if (line.ends_with('\r')) line.pop_back();
    vocabulary.push_back(line);
  }
  auto created = create(vocabulary, spec);
  if (!created) return fail(created.error().code, path.string() + ": " + created.error().message);
  return created;
}

std::size_t WordPiece::max_tokens() const noexcept { return tables_->max_tokens; }

Result<Tokenizer::Encoding> WordPiece::encode(std::span<const std::int64_t> tokens) const {
  const Tables& tables = *tables_;
  const std::int64_t first = tables.special[2];
  const std::int64_t last = tables.special[3];
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] < 0 || tokens[i] >= tables.size) {
      return fail(ErrorCode::kInvalidArgument,
                  "token " + std::to_string(i) + " is " + std::to_string(tokens[i]) +
                      ", the vocabulary ends before " + std::to_string(tables.size));
    }
  }
  if (!tokens.empty() && tokens.front() == first) tokens = tokens.subspan(1);
  if (!tokens.empty() && tokens.back() == last) tokens = tokens.first(tokens.size() - 1);
  Encoding encoding;
  encoding.truncated = tokens.size() > tables.max_tokens - 2;
  tokens = tokens.first(std::min(tokens.size(), tables.max_tokens - 2));
  encoding.ids.push_back(first);
  encoding.ids.insert(encoding.ids.end(), tokens.begin(), tokens.end());
  encoding.ids.push_back(last);
  return encoding;
}

Tokenizer::Encoding WordPiece::encode(std::string_view text) const {
  return encode_up_to(text, tables_->max_tokens);
}

std::size_t WordPiece::count_tokens(std::string_view text, std::size_t most) const {
  return encode_up_to(text, std::max<std::size_t>(most, 2)).ids.size();
}

Tokenizer::Encoding WordPiece::encode_up_to(std::string_view text, std::size_t max_tokens) const {
  const Tables& tables = *tables_;
  Encoding encoding;
  encoding.ids.push_back(tables.special[2]);
  Encoder encoder(tables.words, tables.continuations, tables.unknown(), max_tokens - 2, encoding.ids);
  for (std::size_t at = 0; at < text.size() && !encoder.full();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 128) {
      if (byte == '[') {
        std::size_t special = kSpecial.size();
        for (std::size_t i = 0; i < kSpecial.size(); ++i) {
          if (tables.special[i] >= 0 && text.substr(at).starts_with(kSpecial[i])) special = i;
        }
        if (special != kSpecial.size()) {
          encoder.end_word();
          encoder.push(tables.special[special]);
          at += kSpecial[special].size();
          continue;
        }
      }
      ++at;
      switch (tables.ascii_class[byte]) {
        case CharacterClass::kRemoved:
          break;
        case CharacterClass::kSpace:
          encoder.end_word();
          break;
        case CharacterClass::kPunctuation:
          encoder.end_word();
          encoder.add(static_cast<char>(byte));
          encoder.end_word();
          break;
        case CharacterClass::kLetter:
          encoder.add(tables.ascii[byte]);
          break;
      }
      continue;
    }
    const Decoded decoded = decode_utf8(text.substr(at));
    at += decoded.length;
    const CharacterClass kind = character_class(decoded.code_point);
    if (kind == CharacterClass::kRemoved) continue;
    if (kind == CharacterClass::kSpace) {
      encoder.end_word();
      continue;
    }
    const bool chinese = is_chinese(decoded.code_point);
    if (chinese) encoder.end_word();
    if (!tables.strip_accents) {
      add_normalised(encoder, decoded.code_point, tables.lowercase);
    } else {
      std::uint32_t parts[4];
      const int count = decompose(decoded.code_point, parts);
      for (int i = 0; i < count; ++i) {
        if (!is_accent(parts[i])) add_normalised(encoder, parts[i], tables.lowercase);
      }
    }
    if (chinese) encoder.end_word();
  }
  if (!encoder.full()) encoder.end_word();
  encoding.truncated = encoder.full();
  encoding.ids.push_back(tables.special[3]);
  return encoding;
}

Result<std::shared_ptr<const Tokenizer>> open_wordpiece(const std::filesystem::path& folder,
                                                        const TokenizerSpec& spec) {
  auto opened = WordPiece::open(folder, spec);
  if (!opened) return Unexpected(opened.error());
  return std::make_shared<const WordPiece>(*std::move(opened));
}

}  // namespace infer::inline v0
