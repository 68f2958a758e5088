#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "infer/image/color_layout.h"

namespace infer::inline v0::tools {

/// What is known about one photograph.
///
/// A program that has no folder of files fills in what it knows: `path` may be any name, and an empty member
/// is not compared.
struct Photo {
  std::string path = {};               ///< Name of the photograph.
  std::vector<std::string> also = {};  ///< Other paths of the same file: hard links.
  std::uintmax_t bytes = 0;            ///< Size of the file.
  std::size_t width = 0;               ///< Pixels, upright.
  std::size_t height = 0;              ///< Pixels, upright.
  std::string sha256 = {};             ///< Hash of the file; equal means equal files. Empty: not known.
  /// `perceptual_hash` of the picture over white and over black, which differ for transparent pictures only;
  /// empty for a picture without content.
  std::array<std::optional<std::uint64_t>, 2> hashes = {};
  /// `color_layout`, over white; empty: not known, so that only the hashes decide.
  std::optional<ColorLayout> colors = {};
  /// Embedding of unit length, with the same number of elements for all photographs. Empty without a model,
  /// and for a picture without content, because models find all such pictures alike.
  std::vector<float> vector = {};
};

/// The comparison that found two photographs alike.
enum class Stage : std::uint8_t {
  kExact,       ///< Their files are equal.
  kPerceptual,  ///< Their perceptual hashes differ in few bits, and their colours are alike.
  kCosine       ///< Their vectors have a high cosine.
};
/// Returns "exact", "perceptual" or "cosine".
const char* to_string(Stage stage) noexcept;

/// Two similar photographs.
struct Link {
  std::size_t a = 0;                 ///< Index of the first photograph.
  std::size_t b = 0;                 ///< Index of the second photograph.
  Stage stage = Stage::kExact;       ///< The first stage that found them alike.
  std::optional<int> distance = {};  ///< Bits in which the perceptual hashes differ, if both have content.
  std::optional<float> cosine = {};  ///< Cosine of the vectors, if both have vectors.
};

/// How similar two photographs must be to count as alike.
struct Thresholds {
  int distance = 10;     ///< Maximum number of the 64 bits in which perceptual hashes differ.
  float cosine = 0.96F;  ///< Minimum cosine of the vectors, -1 to 1.
};

/// Sorts the photographs so that those to keep come first: most pixels, then most bytes, then the shortest
/// path.
void sort_by_preference(std::vector<Photo>& photos);

/// Returns all links between `photos`: from the first of equal files to each of the others, and between all
/// similar pairs of the remaining photographs.
///
/// Compares all pairs, so the time grows with the square of the number of photographs: 10,000 photographs
/// with vectors of 512 numbers take seconds. All vectors must have the same length. Thread-safe.
std::vector<Link> find_links(std::span<const Photo> photos, const Thresholds& thresholds);

/// A photograph to keep, and the photographs that are like it.
///
/// Each member is linked to the kept photograph itself: a photograph that is only like a member is not in the
/// group.
struct Group {
  /// A duplicate of the kept photograph.
  struct Member {
    std::size_t photo = 0;  ///< Index of the photograph.
    Link link;              ///< From the kept photograph to this one: stage, distance and cosine.
  };
  std::size_t keep = 0;              ///< Index of the photograph to keep.
  std::vector<Member> members = {};  ///< At least one.
};

/// Returns the groups of `photos`, ordered by the paths of the kept photographs.
///
/// `photos` must be sorted by preference, and `links` must be the links between them. Each photograph is in
/// at most one group. Thread-safe.
std::vector<Group> find_groups(std::span<const Photo> photos, std::span<const Link> links);

}  // namespace infer::inline v0::tools
