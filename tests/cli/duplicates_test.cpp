// infer duplicates on photographs, their copies and their likes.

#include <gtest/gtest.h>
#include <simdjson.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/process.h"
#include "cli/scripted_model.h"
#include "duplicates/grouping.h"
#include "duplicates/shell_word.h"
#include "image/golden.h"
#include "printable.h"

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

TEST_F(Duplicates, LinksAndOtherNamesOfAFileAreNoCopies) {
  const fs::path photos_path = folder_.path() / "photos";
  fs::remove_all(photos_path);
  fs::create_directories(photos_path);
  copy("coffee", "only.png");
  fs::create_symlink(photos_path / "only.png", photos_path / "a.png");
  fs::create_hard_link(photos_path / "only.png", photos_path / "b.png");
  const auto run = run_infer({"duplicates", photos()});
  EXPECT_EQ(run.code, 0) << run.output;
  EXPECT_NE(run.output.find("1 photographs, 0 groups"), std::string::npos) << run.output;
  EXPECT_NE(run.output.find("2 links and other names"), std::string::npos) << run.output;
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
  return {path, 1, 10, 10, sha, hash, hash, true, std::move(vector)};
}

std::vector<std::size_t> members(const cli::Group& group) {
  std::vector<std::size_t> out;
  for (const Link& link : group.links) out.push_back(link.b);
  return out;
}

TEST(Grouping, GroupsHangOnTheKeptPhotographAndChainsDoNotJoin) {
  const std::vector<Photo> photos{photo("a", "1", 0b0000), photo("b", "2", 0b1111'1111'11),
                                  photo("c", "3", ~0ULL), photo("d", "4", 0b1111'1111'11'1111),
                                  photo("e", "2", 0b1111'1111'11)};
  const auto groups = cli::groups_of(photos, cli::find_links(photos, {10, 0.9F}));
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].keep, 0u);
  EXPECT_EQ(members(groups[0]), (std::vector<std::size_t>{1, 4})) << "d is near b, 14 bits from a";
  for (const Link& link : groups[0].links) {
    EXPECT_EQ(link.a, 0u);
    EXPECT_EQ(link.distance, 10) << "the distance to the kept one, for equal files too";
    EXPECT_EQ(link.stage, Stage::kPerceptual);
  }
}

TEST(Grouping, PicturesWithoutContentMatchByBytesAlone) {
  std::vector<Photo> photos{photo("a", "1", 0, {1, 0}), photo("b", "2", 0, {1, 0}), photo("c", "1", 0, {1, 0})};
  for (Photo& plain : photos) plain.has_content = false;
  const auto groups = cli::groups_of(photos, cli::find_links(photos, {10, 0.9F}));
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(members(groups[0]), (std::vector<std::size_t>{2}));
}

TEST(Grouping, TransparentPicturesMustBeAlikeOverWhiteAndOverBlack) {
  std::vector<Photo> photos{photo("a", "1", 0), photo("b", "2", 0)};
  photos[1].hash_over_black = ~0ULL;
  EXPECT_TRUE(cli::find_links(photos, {10, 0.9F}).empty());
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
  EXPECT_TRUE(cli::is_better(photos[1], photos[0]));
  photos[0].bytes = 2;
  EXPECT_TRUE(cli::is_better(photos[0], photos[1]));
  photos[2].width = 11;
  EXPECT_TRUE(cli::is_better(photos[2], photos[0]));
}

TEST(ShellWord, AShellReadsTheVeryName) {
  const std::vector<std::string> names{"a.jpg", "it's.jpg", "a\\b$(touch x)`y`\"!.jpg", "-rf.jpg", "cr\rlf\n.jpg",
                                       "\x1b[2J\x7f\x01.jpg", "caf\xe9.jpg", "caf\xc3\xa9 \xe2\x80\xae.jpg",
                                       "\\0101\n.jpg", "%s%n\t.jpg", "</script><!--.jpg"};
  for (const std::string& name : names) {
    const std::string word = cli::shell_word(name);
    for (const char c : word) EXPECT_TRUE(c >= ' ' && c <= '~') << word;
    for (const char* shell : {"/bin/sh", "/bin/bash"}) {
      testing::Process process({shell, "-c", "printf %s " + word});
      EXPECT_EQ(process.rest(), (name[0] == '-' ? "./" : "") + name) << word;
    }
  }
}

TEST(Printable, ControlsDirectionMarksAndBytesThatAreNotUtf8AreEscaped) {
  EXPECT_EQ(cli::printable("a\x1b[2Jb\r\n\x7f"), "a\\x1b[2Jb\\x0d\\x0a\\x7f");
  EXPECT_EQ(cli::printable("caf\xc3\xa9 \xe9"), "caf\xc3\xa9 \\xe9");
  EXPECT_EQ(cli::printable("\xc2\x9b\xe2\x80\xae"), "\\xc2\\x9b\\xe2\\x80\\xae");
}

TEST(Output, ThatCannotBeWrittenIsExitCodeOneInEveryCommand) {
  for (const char* what : {"--version", "--help", "serve --help", "--help-all", "completion bash"}) {
    for (const char* where : {"> /dev/full", ">&-"}) {
      testing::Process process({"/bin/sh", "-c", testing::infer_binary() + " " + what + " " + where});
      EXPECT_NE(process.rest().find("could not be written"), std::string::npos) << what << where;
      EXPECT_EQ(process.wait(), 1) << what << where;
    }
  }
}

}  // namespace
}  // namespace infer
