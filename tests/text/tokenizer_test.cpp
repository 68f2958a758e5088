#include "infer/text/tokenizer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "infer/text/wordpiece.h"
#include "support/scripted_model.h"

namespace infer {
namespace {

TEST(Tokenizer, TheTypeInTheManifestChoosesTheTokenizer) {
  const testing::Folder folder;
  std::ofstream(folder.path() / "vocab.txt") << "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nfilm\n##s\n";
  const auto chosen = open_tokenizer(folder.path(), {.type = "wordpiece"});
  ASSERT_TRUE(chosen) << chosen.error().message;
  const auto wordpiece = WordPiece::open(folder.path(), {});
  ASSERT_TRUE(wordpiece) << wordpiece.error().message;
  EXPECT_EQ((*chosen)->encode("Films").ids, (std::vector<std::int64_t>{2, 5, 6, 3}));
  EXPECT_EQ((*chosen)->encode("Films").ids, wordpiece->encode("Films").ids);
}

TEST(Tokenizer, AnUnknownTypeIsAnErrorThatListsTheKnownOnes) {
  const auto opened = open_tokenizer("/nonexistent", {.type = "unigram"});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(opened.error().message,
            "/nonexistent: infer.json: tokenizer.type: 'unigram' is not one of wordpiece");
}

}  // namespace
}  // namespace infer
