// infer duplicates on photographs, their copies and their likes.

#include <gtest/gtest.h>
#include <simdjson.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>

#include "cli/process.h"
#include "cli/scripted_model.h"
#include "duplicates/grouping.h"
#include "image/golden.h"
#include "infer/image/perceptual_hash.h"

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

TEST_F(Duplicates, LinksAndSecondPathsAreNoSecondPhotograph) {
  const fs::path folder = folder_.path() / "links";
  fs::create_directories(folder / "below");
  fs::copy_file(folder_.path() / "photos/coffee.png", folder / "coffee.png");
  fs::create_symlink(folder / "coffee.png", folder / "a link.png");
  fs::create_symlink("nowhere.png", folder / "dangling.png");
  fs::create_symlink("below", folder / "folder");
  fs::create_hard_link(folder / "coffee.png", folder / "below/b.png");
  const auto alone = run_infer({"duplicates", folder.string(), "--json", "-"});
  EXPECT_EQ(alone.code, 0) << alone.output;
  EXPECT_NE(alone.output.find("\"photos_read\":1,"), std::string::npos) << alone.output;
  EXPECT_NE(alone.output.find("\"groups\":[]"), std::string::npos) << alone.output;
  fs::copy_file(folder_.path() / "photos/coffee.png", folder / "z, a real copy.png");
  const auto run = run_infer({"duplicates", folder.string(), "--json", "-"});
  simdjson::dom::parser parser;
  const simdjson::dom::element root = parser.parse(run.output);
  ASSERT_EQ(simdjson::dom::array(root["groups"]).size(), 1u) << run.output;
  EXPECT_EQ(std::string_view(root["groups"].at(0)["keep"]), (folder / "coffee.png").string());
  EXPECT_EQ(std::string_view(root["groups"].at(0)["photos"].at(0)["also"].at(0)),
            (folder / "below/b.png").string());
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

Photo photo(const std::string& path, const std::string& sha, std::optional<std::uint64_t> hash,
            std::vector<float> vector = {}) {
  return {path, {}, 1, 10, 10, sha, {hash, hash}, std::move(vector)};
}

/// Which photographs each group has, the kept one first.
std::vector<std::vector<std::size_t>> groups_of(const std::vector<Photo>& photos,
                                                const cli::Thresholds& thresholds) {
  std::vector<std::vector<std::size_t>> out;
  for (const auto& group : cli::find_groups(photos, cli::find_links(photos, thresholds))) {
    out.push_back({group.keep});
    for (const auto& member : group.members) out.back().push_back(member.photo);
  }
  return out;
}

TEST(Grouping, AChainDoesNotJoin) {
  // a is near b, b is near c; c is far from a, which is kept.
  const std::vector<Photo> photos{photo("a", "1", 0b0), photo("b", "2", 0xFF), photo("c", "3", 0xFFFF)};
  EXPECT_EQ(groups_of(photos, {10, 0.9F}), (std::vector<std::vector<std::size_t>>{{0, 1}}));
}

TEST(Grouping, EveryMemberIsWithinTheLimitOfTheKeptOneWhateverThePhotographs) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<Photo> photos;
    for (int i = 0; i < 30; ++i) {
      std::uint64_t hash = 0x0F0F'3C3C'5A5A'6969ULL;
      for (int bit = static_cast<int>(random() % 14); bit > 0; --bit)
        hash ^= std::uint64_t{1} << random() % 64;
      photos.push_back(photo("p" + std::to_string(i), std::to_string(random() % 25),
                             random() % 8 == 0 ? std::nullopt : std::optional(hash)));
      for (auto& other : photos) {  // equal bytes have equal hashes
        if (other.sha256 == photos.back().sha256) photos.back().hashes = other.hashes;
      }
    }
    std::set<std::size_t> seen;
    for (const auto& group : cli::find_groups(photos, cli::find_links(photos, {10, 0.9F}))) {
      EXPECT_TRUE(seen.insert(group.keep).second);
      for (const auto& [i, link] : group.members) {
        EXPECT_TRUE(seen.insert(i).second) << "in two groups";
        if (photos[i].sha256 == photos[group.keep].sha256) {
          EXPECT_EQ(link.stage, Stage::kExact);
          continue;
        }
        ASSERT_TRUE(photos[i].hashes[0] && photos[group.keep].hashes[0] && link.distance);
        EXPECT_EQ(*link.distance, hash_distance(*photos[i].hashes[0], *photos[group.keep].hashes[0]));
        EXPECT_LE(*link.distance, 10);
      }
    }
  }
}

TEST(Grouping, PicturesWithoutContentMatchByTheirBytesAlone) {
  const std::vector<Photo> photos{photo("a", "1", std::nullopt), photo("b", "2", std::nullopt),
                                  photo("c", "1", std::nullopt), photo("d", "3", 0)};
  EXPECT_EQ(groups_of(photos, {10, 0.9F}), (std::vector<std::vector<std::size_t>>{{0, 2}}));
}

TEST(Grouping, TransparentPicturesAreAlikeOverBothBackgroundsOnly) {
  std::vector<Photo> photos{photo("a", "1", 0), photo("b", "2", 0)};
  photos[1].hashes[1] = ~0ULL;
  EXPECT_TRUE(groups_of(photos, {10, 0.9F}).empty());
  photos[1].hashes[1] = std::nullopt;
  EXPECT_TRUE(groups_of(photos, {10, 0.9F}).empty());
  photos[0].hashes[1] = std::nullopt;  // nothing to be seen over black, in both
  EXPECT_EQ(groups_of(photos, {10, 0.9F}).size(), 1u);
}

TEST(Grouping, TheFirstStageThatMatchesIsNamed) {
  const std::vector<Photo> photos{photo("a", "1", 0, {1, 0}), photo("b", "1", 0, {1, 0}),
                                  photo("c", "2", 1, {0, 1}), photo("d", "3", ~0ULL, {0.6F, 0.8F})};
  const auto links = cli::find_links(photos, {4, 0.75F});
  ASSERT_EQ(links.size(), 3u);
  EXPECT_EQ(links[0].stage, Stage::kExact);
  EXPECT_EQ(links[1].stage, Stage::kPerceptual);
  EXPECT_EQ(links[1].distance, std::optional(1));
  EXPECT_EQ(links[2].stage, Stage::kCosine);
  EXPECT_NEAR(*links[2].cosine, 0.8F, 1e-6F);
}

TEST(Grouping, TheBestHasMostPixelsThenMostBytes) {
  std::vector<Photo> photos{photo("b", "2", 0), photo("a", "2", 0), photo("c", "3", 0)};
  photos[0].bytes = 2;
  photos[2].width = 11;
  cli::sort_by_preference(photos);
  EXPECT_EQ(photos[0].path + photos[1].path + photos[2].path, "cba");
}

}  // namespace
}  // namespace infer
