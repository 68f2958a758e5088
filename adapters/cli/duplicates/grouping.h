#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace infer::cli {

/// What is known of one photograph.
struct Photo {
  std::string path;
  std::vector<std::string> also;  ///< Other paths of the same file: hard links.
  std::uintmax_t bytes = 0;
  std::size_t width = 0;  ///< Upright, in pixels.
  std::size_t height = 0;
  std::string sha256;  ///< Of the file, hexadecimal.
  /// `perceptual_hash` over white and over black, which differ for transparent pictures; none without
  /// content.
  std::array<std::optional<std::uint64_t>, 2> hashes;
  std::vector<float> vector;  ///< Of unit length; empty where no model was asked.
};

enum class Stage : std::uint8_t { kExact, kPerceptual, kCosine };
const char* to_string(Stage stage) noexcept;

/// Two photographs that one stage, the first that did, found alike.
struct Link {
  std::size_t a = 0;
  std::size_t b = 0;
  Stage stage = Stage::kExact;
  std::optional<int> distance;  ///< Bits in which the perceptual hashes differ, where both have content.
  std::optional<float> cosine;  ///< Where both have vectors.
};

struct Thresholds {
  int distance = 10;     ///< Perceptual hashes that differ in no more bits are alike.
  float cosine = 0.96F;  ///< Vectors whose cosine is no less are alike.
};

/// Puts the photographs that are kept first in front: most pixels, then most bytes, then the shortest path.
void sort_by_preference(std::vector<Photo>& photos);

/// All links of `photos`: equal files to the first of them, and every near pair of those that are left.
/// Compares all pairs, so its time grows with the square of their number.
std::vector<Link> find_links(std::span<const Photo> photos, const Thresholds& thresholds);

/// A photograph to keep, and those that are like it. Each member is linked to the kept one itself:
/// photographs that are like a member alone are in no group with it.
struct Group {
  struct Member {
    std::size_t photo = 0;
    Link link;  ///< To the kept one: the stage, the distance and the cosine between these two.
  };
  std::size_t keep = 0;
  std::vector<Member> members;
};

/// Groups of `photos`, which are sorted by preference; each photograph is in one at most. By path of the kept
/// one.
std::vector<Group> find_groups(std::span<const Photo> photos, std::span<const Link> links);

}  // namespace infer::cli
