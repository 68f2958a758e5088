#pragma once

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
  std::uintmax_t bytes = 0;
  std::size_t width = 0;  ///< Upright, in pixels.
  std::size_t height = 0;
  std::string sha256;      ///< Of the file, hexadecimal.
  std::uint64_t hash = 0;  ///< `perceptual_hash` over white.
  /// `perceptual_hash` over black: another one where the picture is transparent.
  std::uint64_t hash_over_black = 0;
  bool has_content = true;    ///< Otherwise the picture is too plain to be compared by anything but its bytes.
  std::vector<float> vector;  ///< Of unit length; empty where no model was asked.
};

enum class Stage : std::uint8_t { kExact, kPerceptual, kCosine };
const char* to_string(Stage stage) noexcept;

/// Two photographs that one stage, the first that did, found alike.
struct Link {
  std::size_t a = 0;
  std::size_t b = 0;
  Stage stage = Stage::kExact;
  int distance = 0;             ///< Bits in which the perceptual hashes differ.
  std::optional<float> cosine;  ///< Where both have vectors.
};

struct Thresholds {
  int distance = 10;     ///< Perceptual hashes that differ in no more bits are alike.
  float cosine = 0.96F;  ///< Vectors whose cosine is no less are alike.
};

/// A photograph to keep, and those that are like it.
struct Group {
  std::size_t keep = 0;
  std::vector<Link> links;  ///< From `keep` to each other member, in ascending order of the members.
};

/// True if `a` is rather kept than `b`: more pixels, then more bytes, then the shorter path, then the first.
bool is_better(const Photo& a, const Photo& b);

/// All links of `photos`: equal files to the best of them, and every near pair of those best ones.
/// Compares all pairs, so its time grows with the square of their number.
std::vector<Link> find_links(std::span<const Photo> photos, const Thresholds& thresholds);

/// Groups around the photographs to keep, by first member. The best photograph that is in no group yet takes
/// all others that have a link to it, and their equal files; what is like a member alone stays out.
std::vector<Group> groups_of(std::span<const Photo> photos, std::span<const Link> links);

}  // namespace infer::cli
