#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "support/scripted_model.h"
#include "tools/folder/vector_file.h"

namespace infer::inline v0::tools {
namespace {

namespace fs = std::filesystem;

/// The complete output and its records.
std::string all_of(const std::string& out) {
  std::ostringstream text;
  for (const std::string& path : {out, out + ".state"}) text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

TEST(VectorFile, ARearrangementOfRowsThatCannotBeReadIsRefused) {
  const testing::Folder folder;
  const std::string out = folder / "v.csv";
  const auto open = [&](auto existing) { return VectorFile::open(out, 2, "{}", existing); };
  const float vector[] = {0.5F, 0.25F};
  for (const char* suffix : {"", ".state"}) {
    {
      auto file = open(ExistingOutput::kReplace);
      ASSERT_TRUE(file) << file.error().message;
      for (const char* name : {"a", "b"}) ASSERT_TRUE((*file)->append(name, {1, 2}, vector));
    }
    auto file = open(ExistingOutput::kResume);
    ASSERT_TRUE(file) << file.error().message;
    fs::resize_file(out + suffix, fs::file_size(out + suffix) - 3);
    const std::string before = all_of(out);
    const auto arranged = (*file)->arrange({1, 0});
    ASSERT_FALSE(arranged) << "after cutting " << out << suffix;
    EXPECT_NE(arranged.error().message.find(out + suffix + ": cannot be read"), std::string::npos)
        << arranged.error().message;
    EXPECT_EQ(all_of(out), before);
    for (const char* left : {".next", ".state.next", ".state.tmp"})
      EXPECT_FALSE(fs::exists(out + left)) << left;
  }
}

}  // namespace
}  // namespace infer::inline v0::tools
