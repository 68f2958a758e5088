// Tests infer duplicates on photographs, copies and similar photographs.

#include <gtest/gtest.h>
#include <simdjson.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/process.h"
#include "image/golden.h"
#include "support/scripted_model.h"

namespace infer {
namespace {

namespace fs = std::filesystem;
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
  EXPECT_EQ(text.str().find("https://"), std::string::npos) << "the page loads nothing from other hosts";
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

}  // namespace
}  // namespace infer
