#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "infer/image/color_layout.h"
#include "infer/image/perceptual_hash.h"
#include "infer/tools/duplicates.h"

namespace infer::inline v0::tools {
namespace {

Photo photo(const std::string& path, const std::string& sha, std::optional<std::uint64_t> hash,
            std::vector<float> vector = {}) {
  return {path, {}, 1, 10, 10, sha, {hash, hash}, std::nullopt, std::move(vector)};
}

/// Returns the photographs of each group, the kept one first.
std::vector<std::vector<std::size_t>> groups_of(const std::vector<Photo>& photos,
                                                const Thresholds& thresholds) {
  std::vector<std::vector<std::size_t>> out;
  for (const auto& group : find_groups(photos, find_links(photos, thresholds))) {
    out.push_back({group.keep});
    for (const auto& member : group.members) out.back().push_back(member.photo);
  }
  return out;
}

TEST(Grouping, AChainDoesNotJoin) {
  // a is similar to b, and b to c; c is not similar to a, which is kept.
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
    for (const auto& group : find_groups(photos, find_links(photos, {10, 0.9F}))) {
      EXPECT_TRUE(seen.insert(group.keep).second);
      for (const auto& [i, link] : group.members) {
        EXPECT_TRUE(seen.insert(i).second) << "the photograph is in two groups";
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
  photos[0].hashes[1] = std::nullopt;  // both are invisible on black
  EXPECT_EQ(groups_of(photos, {10, 0.9F}).size(), 1u);
}

/// Squares of two colours, as on a chessboard, of `size` pixels each.
Image chequers(std::size_t size, std::array<std::uint8_t, 3> one, std::array<std::uint8_t, 3> other) {
  Image image = Image::uninitialised(256, 192);
  for (std::size_t y = 0; y < image.height; ++y) {
    for (std::size_t x = 0; x < image.width; ++x)
      std::copy_n((x / size + y / size) % 2 == 0 ? one.data() : other.data(), 3, image.row(y) + 3 * x);
  }
  return image;
}

TEST(Grouping, OnePatternInOtherColoursIsAnotherPicture) {
  using Color = std::array<std::uint8_t, 3>;
  // Each pair has the brightness of the first, so that no hash tells them apart.
  const std::vector<std::pair<Color, Color>> pairs{{{200, 40, 40}, {20, 20, 160}},
                                                   {{20, 20, 160}, {200, 40, 40}},
                                                   {{40, 127, 40}, {30, 35, 30}},
                                                   {{88, 88, 88}, {36, 36, 36}}};
  for (const std::size_t size : {32U, 64U}) {
    std::vector<Photo> photos;
    for (const auto& [one, other] : pairs) {
      const Image image = chequers(size, one, other);
      photos.push_back(
          photo("p" + std::to_string(photos.size()), std::to_string(photos.size()), perceptual_hash(image)));
      ASSERT_TRUE(photos.back().hashes[0]) << size;
      photos.back().colors = color_layout(image);
    }
    EXPECT_TRUE(groups_of(photos, {10, 0.9F}).empty()) << size;
    std::vector<Photo> similar{photos[0], photos[2]};  // a model may find them alike all the same
    for (Photo& one : similar) one.vector = {1, 0};
    const auto links = find_links(similar, {10, 0.9F});
    ASSERT_EQ(links.size(), 1U) << size;
    EXPECT_EQ(links[0].stage, Stage::kCosine) << size;
    photos.push_back(photos.front());  // the same picture, of other bytes
    photos.back().sha256 = "another";
    EXPECT_EQ(groups_of(photos, {10, 0.9F}).size(), 1U) << size;
  }
}

TEST(Grouping, TheFirstStageThatMatchesIsNamed) {
  const std::vector<Photo> photos{photo("a", "1", 0, {1, 0}), photo("b", "1", 0, {1, 0}),
                                  photo("c", "2", 1, {0, 1}), photo("d", "3", ~0ULL, {0.6F, 0.8F})};
  const auto links = find_links(photos, {4, 0.75F});
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
  sort_by_preference(photos);
  EXPECT_EQ(photos[0].path + photos[1].path + photos[2].path, "cba");
}

}  // namespace
}  // namespace infer::inline v0::tools
