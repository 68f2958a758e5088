// Uses the folder tools as another program would.

#include <filesystem>
#include <fstream>
#include <stop_token>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "image/encode.h"
#include "image/golden.h"
#include "infer/tools/embed_folder.h"
#include "infer/tools/read_photos.h"
#include "infer/tools/thumbnail.h"
#include "support/scripted_model.h"

namespace infer::inline v0::tools {
namespace {

namespace fs = std::filesystem;

class Folders : public ::testing::Test {
 protected:
  Folders() : embedder_(ImageEmbedder::open(testing::scripted_model(folder_.path())).value()) {
    fs::create_directories(folder_.path() / "photos");
    for (const char* name : {"b.jpg", "a.jpg"}) add("jpeg", name);
  }
  void add(const char* kind, const std::string& name) {
    fs::copy_file(testing::golden(kind).encoded, folder_.path() / "photos" / name);
  }
  EmbedFolderOptions options() const {
    return {.paths = {folder_ / "photos"}, .out = folder_ / "v.csv", .count_first = true};
  }
  testing::Folder folder_;
  ImageEmbedder embedder_;
};

TEST_F(Folders, AreEmbeddedAndContinued) {
  std::optional<std::size_t> total;
  const EmbedFolderEvents events{.begins = [&](auto counted) { total = counted; }};
  auto done = embed_folder(embedder_, options(), events, {});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(total, 2);
  EXPECT_EQ(done->written, 2);
  EXPECT_EQ(embed_folder(embedder_, options(), {}, {}).error().code, ErrorCode::kFailedPrecondition)
      << "the output exists";
  fs::remove(folder_ / "photos/a.jpg");
  add("png-rgb", "c.png");
  std::ofstream(folder_ / "photos/d.png") << "no picture";
  auto again = options();
  again.existing = ExistingOutput::kResume;
  std::vector<std::string> skipped;
  done = embed_folder(embedder_, again,
                      {.skipped = [&](const auto& path, const auto&) { skipped.push_back(path); }}, {});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->written, 1);
  EXPECT_EQ(done->dropped, 1);
  EXPECT_EQ(done->rows, 2);
  EXPECT_EQ(skipped, std::vector<std::string>{folder_ / "photos/d.png"});
  EXPECT_FALSE(done->interrupted);
}

TEST_F(Folders, StopWhenTheyAreTold) {
  std::stop_source source;
  source.request_stop();
  const auto done = embed_folder(embedder_, options(), {}, source.get_token());
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_TRUE(done->interrupted);
  EXPECT_EQ(done->rows, 0);
}

TEST_F(Folders, AreReadAndGrouped) {
  add("jpeg-progressive", "c.jpg");
  fs::create_hard_link(folder_ / "photos/b.jpg", folder_.path() / "photos/hard.jpg");
  fs::create_symlink("a.jpg", folder_.path() / "photos/soft.jpg");
  const auto found = read_photos({.folder = folder_ / "photos", .embedder = &embedder_}, {}, {});
  EXPECT_EQ(found.symbolic_links, 1);
  ASSERT_EQ(found.photos.size(), 3);
  EXPECT_EQ(found.photos[0].vector.size(), embedder_.dim());
  const Thresholds thresholds{.distance = 10, .cosine = 2};
  const auto groups = find_groups(found.photos, find_links(found.photos, thresholds));
  ASSERT_EQ(groups.size(), 1) << "the three equal pictures form one group";
  ASSERT_EQ(groups[0].members.size(), 2);
  EXPECT_EQ(groups[0].members[0].link.stage, Stage::kExact);
  EXPECT_EQ(groups[0].members[1].link.stage, Stage::kPerceptual);
}

TEST_F(Folders, OfPicturesWithoutContentMatchByTheirBytesAloneForAModelToo) {
  const auto write_plain = [&](const char* name, unsigned level) {
    const auto bytes = testing::write_png(64, 64, {}, [level](auto, auto, auto) { return level; });
    std::ofstream(folder_.path() / "photos" / name) << std::string(bytes.begin(), bytes.end());
  };
  write_plain("d.png", 250);
  write_plain("e.png", 20);
  write_plain("f.png", 20);
  const auto found = read_photos({.folder = folder_ / "photos", .embedder = &embedder_}, {}, {});
  const Thresholds all_alike{.distance = 0, .cosine = -1};
  for (const Link& link : find_links(found.photos, all_alike)) {
    for (const std::size_t i : {link.a, link.b}) {
      if (!found.photos[i].path.ends_with(".png")) continue;
      EXPECT_EQ(link.stage, Stage::kExact) << found.photos[i].path;
    }
  }
  EXPECT_EQ(find_groups(found.photos, find_links(found.photos, all_alike)).size(), 2);
}

TEST_F(Folders, HaveThumbnailsOfTheirPhotographs) {
  const auto jpeg = thumbnail_of(folder_ / "photos/a.jpg", {});
  ASSERT_TRUE(jpeg) << jpeg.error().message;
  const auto small = decode_image(*jpeg);
  ASSERT_TRUE(small) << small.error().message;
  EXPECT_LE(std::max(small->width, small->height), 240);
  EXPECT_EQ(thumbnail_of(folder_ / "none", {}).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace infer::inline v0::tools
