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
  std::string sha256;         ///< Of the file, hexadecimal.
  std::uint64_t hash = 0;     ///< `perceptual_hash`.
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

/// All links of `photos`: equal files to the first of them, and every near pair of those that are left.
/// Compares all pairs, so its time grows with the square of their number.
std::vector<Link> find_links(std::span<const Photo> photos, const Thresholds& thresholds);

/// Sets of photographs connected by links, each in ascending order, those of one left out; by first member.
std::vector<std::vector<std::size_t>> connected(std::size_t photos, std::span<const Link> links);

/// The one to keep: most pixels, then most bytes, then the shortest path, then the first.
std::size_t best_of(std::span<const Photo> photos, std::span<const std::size_t> group);

}  // namespace infer::cli
