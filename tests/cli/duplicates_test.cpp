// infer duplicates on photographs, their copies and their likes.

#include <gtest/gtest.h>
#include <simdjson.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/process.h"
#include "cli/scripted_model.h"
#include "duplicates/grouping.h"
#include "image/golden.h"

namespace infer {
namespace {

namespace fs = std::filesystem;
using cli::Link;
using cli::Photo;
using cli::Stage;
using testing::run_infer;

class Duplicates : public ::testing::Test {
 protected:
  Duplicates() {
    fs::create_directories(folder_.path() / "photos/below");
    copy("coffee", "coffee.png");
    copy("coffee", "below/coffee's copy.png");
    copy("rocket", "rocket.jpg");
    for (const char* quality : {"jpeg", "jpeg-progressive", "png-rgb"}) {
      const auto golden = testing::golden(quality);
      fs::copy_file(golden.encoded, folder_.path() / "photos" / fs::path(golden.encoded).filename());
    }
  }
  void copy(const std::string& photo, const std::string& name) {
    for (const auto& golden : testing::goldens("hash")) {
      if (golden.name == photo) fs::copy_file(golden.encoded, folder_.path() / "photos" / name);
    }
  }
  std::string photos() const { return folder_ / "photos"; }
  testing::Folder folder_;
};

TEST_F(Duplicates, EqualFilesAndLikePicturesAreGroupsWithTheirStageAndScore) {
  const auto run = run_infer({"duplicates", photos(), "--json", "-"});
  ASSERT_EQ(run.code, 0) << run.output;
  simdjson::dom::parser parser;
  const simdjson::dom::element root = parser.parse(run.output);
  EXPECT_EQ(std::uint64_t(root["photos_read"]), 6u);
  ASSERT_EQ(simdjson::dom::array(root["groups"]).size(), 2u);
  const auto exact = root["groups"].at(0);
  EXPECT_EQ(std::string_view(exact["links"].at(0)["stage"]), "exact");
  EXPECT_EQ(std::string_view(exact["keep"]), photos() + "/coffee.png");
  EXPECT_EQ(std::string_view(exact["photos"].at(0)["sha256"]).size(), 64u);
  const auto like = root["groups"].at(1);
  EXPECT_EQ(simdjson::dom::array(like["photos"]).size(), 3u);
  for (const auto link : simdjson::dom::array(like["links"])) {
    EXPECT_EQ(std::string_view(link["stage"]), "perceptual");
    EXPECT_LE(std::int64_t(link["distance"]), 10);
    EXPECT_TRUE(link["cosine"].is_null());
  }
}

TEST_F(Duplicates, TheCosineStageOfRandomWeightsIsOffUnlessForced) {
  const std::string random = testing::scripted_model(folder_.path(), 0, "random");
  const auto off = run_infer({"duplicates", photos(), "--model", random});
  EXPECT_EQ(off.code, 0) << off.output;
  EXPECT_NE(off.output.find("cosine stage off: the model has random weights (--force-cosine turns it on)"),
            std::string::npos)
      << off.output;
  const auto on = run_infer({"duplicates", photos(), "--model", random, "--force-cosine", "--json", "-"});
  EXPECT_NE(on.output.find("\"cosine_stage\":\"on\""), std::string::npos) << on.output;
  EXPECT_EQ(on.output.find("\"cosine\":null"), std::string::npos) << on.output;
  const std::string trained = testing::scripted_model(folder_.path(), 0, "trained");
  EXPECT_NE(run_infer({"duplicates", photos(), "--model", trained}).output.find("cosine stage on"),
            std::string::npos);
}

TEST_F(Duplicates, NothingIsDeletedAndTheScriptQuotesNames) {
  const std::string page = folder_ / "report.html";
  const auto run = run_infer({"duplicates", photos(), "--html", page});
  EXPECT_EQ(run.code, 0) << run.output;
  EXPECT_TRUE(fs::exists(folder_ / "photos/below/coffee's copy.png"));
  std::ifstream file(page);
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str().find("@DATA@"), std::string::npos);
  EXPECT_EQ(text.str().find("https://"), std::string::npos) << "needs nothing else";
  EXPECT_NE(text.str().find("data:image/jpeg;base64,"), std::string::npos);
}

TEST_F(Duplicates, AnEmptyFolderAndABadFileAreSaid) {
  fs::create_directories(folder_.path() / "empty");
  EXPECT_EQ(run_infer({"duplicates", folder_ / "empty"}).code, 1);
  EXPECT_EQ(run_infer({"duplicates", folder_ / "absent"}).code, 2);
  std::ofstream(folder_ / "photos/bad.png") << "no";
  const auto run = run_infer({"duplicates", photos()});
  EXPECT_EQ(run.code, 3);
  EXPECT_NE(run.output.find("bad.png: "), std::string::npos);
}

Photo photo(const std::string& path, const std::string& sha, std::uint64_t hash,
            std::vector<float> vector = {}) {
  return {path, 1, 10, 10, sha, hash, std::move(vector)};
}

TEST(Grouping, AChainOfLinksIsOneGroup) {
  const std::vector<Photo> photos{photo("a", "1", 0b0000), photo("b", "2", 0b1111'1111'11),
                                  photo("c", "3", ~0ULL), photo("d", "4", 0b1111'1111'11'1111)};
  const auto links = cli::find_links(photos, {10, 0.9F});
  EXPECT_EQ(cli::connected(photos.size(), links), (std::vector<std::vector<std::size_t>>{{0, 1, 3}}));
}

TEST(Grouping, TheFirstStageThatMatchesIsNamed) {
  const std::vector<Photo> photos{photo("a", "1", 0, {1, 0}), photo("b", "1", 0, {1, 0}),
                                  photo("c", "2", 1, {0, 1}), photo("d", "3", ~0ULL, {0.6F, 0.8F})};
  const auto links = cli::find_links(photos, {4, 0.75F});
  ASSERT_EQ(links.size(), 3u);
  EXPECT_EQ(links[0].stage, Stage::kExact);
  EXPECT_EQ(links[1].stage, Stage::kPerceptual);
  EXPECT_EQ(links[1].distance, 1);
  EXPECT_EQ(links[2].stage, Stage::kCosine);
  EXPECT_NEAR(*links[2].cosine, 0.8F, 1e-6F);
}

TEST(Grouping, TheBestHasMostPixelsThenMostBytes) {
  std::vector<Photo> photos{photo("b", "1", 0), photo("a", "2", 0), photo("c", "3", 0)};
  EXPECT_EQ(cli::best_of(photos, std::vector<std::size_t>{0, 1, 2}), 1u);
  photos[0].bytes = 2;
  EXPECT_EQ(cli::best_of(photos, std::vector<std::size_t>{0, 1, 2}), 0u);
  photos[2].width = 11;
  EXPECT_EQ(cli::best_of(photos, std::vector<std::size_t>{0, 1, 2}), 2u);
}

}  // namespace
}  // namespace infer
