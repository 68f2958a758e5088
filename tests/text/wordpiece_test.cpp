#include "infer/text/wordpiece.h"

#include <gtest/gtest.h>

#include <sstream>

#include "support/checkpoint_files.h"

namespace infer::inline v0 {
namespace {

std::vector<std::string> vocabulary() {
  std::istringstream lines(testing::small_vocabulary());
  std::vector<std::string> out;
  for (std::string line; std::getline(lines, line);) out.push_back(line);
  for (const char* more : {"中", "文", "é", "e", "##e"}) {
    if (std::find(out.begin(), out.end(), more) == out.end()) out.emplace_back(more);
  }
  return out;
}

/// Returns the tokens of a text as words.
std::string tokens(std::string_view text, TokenizerSpec spec = {}) {
  const auto words = vocabulary();
  const auto tokenizer = WordPiece::create(words, spec).value();
  std::string out;
  for (const auto id : tokenizer.encode(text).ids)
    out += (out.empty() ? "" : " ") + words.at(static_cast<std::size_t>(id));
  return out;
}

TEST(WordPiece, SplitsIntoTheLongestPieces) {
  EXPECT_EQ(tokens("the films"), "[CLS] the film ##s [SEP]");
  EXPECT_EQ(tokens("xa"), "[CLS] x ##a [SEP]");
  EXPECT_EQ(tokens("xyz"), "[CLS] [UNK] [SEP]");
  EXPECT_EQ(tokens(""), "[CLS] [SEP]");
}

TEST(WordPiece, PunctuationAndChineseAreWordsOfTheirOwn) {
  EXPECT_EQ(tokens("good.bad!"), "[CLS] good . bad ! [SEP]");
  EXPECT_EQ(tokens("a中文b"), "[CLS] a 中 文 b [SEP]");
}

TEST(WordPiece, AccentsAndCaseGoUnlessTheyAreToStay) {
  EXPECT_EQ(tokens("É e\xCC\x81"), "[CLS] e e [SEP]");
  EXPECT_EQ(tokens("é", {.strip_accents = false}), "[CLS] é [SEP]");
  EXPECT_EQ(tokens("THE", {.lowercase = false}), "[CLS] [UNK] [SEP]");
}

TEST(WordPiece, BytesThatAreNoUtf8AreLeftOut) {
  EXPECT_EQ(tokens("th\xFF"
                   "e"),
            "[CLS] the [SEP]");
  EXPECT_EQ(tokens("\xC3"), "[CLS] [SEP]");
  EXPECT_EQ(tokens("a\xED\xA0\x80z \xF4\x90\x80\x80 b"),
            "[CLS] [UNK] b [SEP]");  // a surrogate, and a code point beyond Unicode
  EXPECT_EQ(tokens(std::string_view("a\0b", 3)), "[CLS] a ##b [SEP]");
}

TEST(WordPiece, SpecialTokensInATextAreSpecial) {
  EXPECT_EQ(tokens("a[SEP]b"), "[CLS] a [SEP] b [SEP]");
  EXPECT_EQ(tokens("[sep]"), "[CLS] [UNK] [UNK] [UNK] [SEP]");
}

TEST(WordPiece, AWordOfMoreThanAHundredCharactersIsUnknown) {
  EXPECT_EQ(tokens(std::string(101, 'a')), "[CLS] [UNK] [SEP]");
  EXPECT_NE(tokens(std::string(100, 'a')), "[CLS] [UNK] [SEP]");
}

TEST(WordPiece, ATextIsCutAtTheBound) {
  const auto tokenizer = WordPiece::create(vocabulary(), {.max_tokens = 5}).value();
  EXPECT_FALSE(tokenizer.encode("a b c").truncated);
  EXPECT_FALSE(tokenizer.encode("a b c   ").truncated);
  const auto cut = tokenizer.encode("a b c d");
  EXPECT_TRUE(cut.truncated);
  EXPECT_EQ(cut.ids, tokenizer.encode("a b c").ids);
  EXPECT_FALSE(tokenizer.encode("a films").truncated);
  EXPECT_TRUE(tokenizer.encode("a b films").truncated);
}

TEST(WordPiece, AVocabularyMustHaveTheSpecialTokensOnce) {
  const std::vector<std::string> none{"a", "b"};
  EXPECT_EQ(WordPiece::create(none, {}).error().message, "vocabulary: has no [UNK]");
  auto twice = vocabulary();
  twice.emplace_back("the");
  EXPECT_NE(WordPiece::create(twice, {}).error().message.find("'the' occurs twice"), std::string::npos);
}

}  // namespace
}  // namespace infer::inline v0
