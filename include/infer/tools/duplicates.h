#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace infer::inline v0::tools {

/// The known properties of one photograph.
///
/// A program without a folder of files may use any name as `path`. Empty properties are not compared.
struct Photo {
  std::string path = {};               ///< Name of the photograph.
  std::vector<std::string> also = {};  ///< Other paths of the same file: hard links.
  std::uintmax_t bytes = 0;            ///< Size of the file.
  std::size_t width = 0;               ///< Pixels, upright.
  std::size_t height = 0;              ///< Pixels, upright.
  std::string sha256 = {};             ///< Hash of the file; empty: unknown.
  /// `perceptual_hash` on a white and on a black background, which differ only for transparent pictures;
  /// empty for a picture without content.
  std::array<std::optional<std::uint64_t>, 2> hashes = {};
  /// Unit vector of a model, of the same length for all photographs. Empty without a model, and for a
  /// picture without content, since models find such pictures similar to each other.
  std::vector<float> vector = {};
};

/// How a pair of similar photographs was found.
enum class Stage : std::uint8_t {
  kExact,       ///< Their files are equal.
  kPerceptual,  ///< Their perceptual hashes differ in few bits.
  kCosine       ///< Their vectors have a high cosine.
};
/// Returns "exact", "perceptual" or "cosine".
const char* to_string(Stage stage) noexcept;

/// Two similar photographs.
struct Link {
  std::size_t a = 0;            ///< Index of the first photograph.
  std::size_t b = 0;            ///< Index of the second photograph.
  Stage stage = Stage::kExact;  ///< The first stage that found the pair.
  std::optional<int> distance =
      {};  ///< Number of different bits of the perceptual hashes, if both have content.
  std::optional<float> cosine = {};  ///< Cosine of the vectors, if both have vectors.
};

/// How similar two photographs must be.
struct Thresholds {
  int distance = 10;     ///< Maximum number of different bits, of 64, of perceptual hashes.
  float cosine = 0.96F;  ///< Minimum cosine of vectors, -1 to 1.
};

/// Sorts the photographs so that those to keep come first: most pixels, then most bytes, then the shortest
/// path.
void sort_by_preference(std::vector<Photo>& photos);

/// Returns all links between `photos`: from the first of equal files to each other one, and between all
/// other similar pairs.
///
/// Compares all pairs, so the time grows with the square of the number of photographs: 10,000 photographs
/// with vectors of 512 numbers take seconds. All vectors must have the same length. Thread-safe.
std::vector<Link> find_links(std::span<const Photo> photos, const Thresholds& thresholds);

/// A photograph to keep, and its duplicates.
///
/// Each member is linked to the kept photograph itself. A photograph that is similar only to a member is
/// not in the group.
struct Group {
  /// A duplicate of the kept photograph.
  struct Member {
    std::size_t photo = 0;  ///< Its index.
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
