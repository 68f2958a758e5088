#include "infer/tools/duplicates.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <unordered_map>

#include "infer/image/perceptual_hash.h"

namespace infer::inline v0::tools {
namespace {

/// Uses several partial sums, because the compiler may not reorder floating-point additions to vectorise
/// them.
float dot(const std::vector<float>& a, const std::vector<float>& b) {
  constexpr std::size_t kLanes = 16;
  float lanes[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= a.size(); i += kLanes) {
    for (std::size_t j = 0; j < kLanes; ++j) lanes[j] += a[i + j] * b[i + j];
  }
  float sum = std::accumulate(lanes, lanes + kLanes, 0.0F);
  for (; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// Returns the number of different bits of two photographs, the larger one of the two backgrounds. Returns
/// nothing if they cannot be compared: if both have no content, or if only one has content on a background.
std::optional<int> distance_between(const Photo& a, const Photo& b) {
  std::optional<int> distance;
  for (std::size_t i = 0; i < a.hashes.size(); ++i) {
    if (a.hashes[i].has_value() != b.hashes[i].has_value()) return std::nullopt;
    if (a.hashes[i]) distance = std::max(distance.value_or(0), hash_distance(*a.hashes[i], *b.hashes[i]));
  }
  return distance;
}

/// Edits of a photograph change its colours by at most 30; see `color_distance`.
constexpr int kMostColorDistance = 32;

/// Returns true unless both layouts are known and differ too much. The hash compares brightness only, and the
/// same drawing in other colours is not a copy; nor is a black-and-white copy of a colourful photograph.
bool same_colors(const Photo& a, const Photo& b) {
  return !a.colors || !b.colors || color_distance(*a.colors, *b.colors) <= kMostColorDistance;
}

/// Returns for each photograph the first photograph with the same bytes.
std::vector<std::size_t> first_of_equals(std::size_t photos, std::span<const Link> links) {
  std::vector<std::size_t> first(photos);
  std::iota(first.begin(), first.end(), std::size_t{0});
  for (const Link& link : links) {
    if (link.stage == Stage::kExact) first[link.b] = link.a;
  }
  return first;
}

}  // namespace

const char* to_string(Stage stage) noexcept {
  switch (stage) {
    case Stage::kExact:
      return "exact";
    case Stage::kPerceptual:
      return "perceptual";
    case Stage::kCosine:
      return "cosine";
  }
  return "";
}

std::vector<Link> find_links(std::span<const Photo> photos, const Thresholds& thresholds) {
  std::vector<Link> links;
  std::vector<std::size_t> distinct;
  std::unordered_map<std::string, std::size_t> first;
  for (std::size_t i = 0; i < photos.size(); ++i) {
    // Without a hash, no equal file is known.
    const auto known = photos[i].sha256.empty() ? first.end() : first.find(photos[i].sha256);
    if (known == first.end()) {
      first.emplace(photos[i].sha256, i);
      distinct.push_back(i);
    } else {
      Link link{known->second, i, Stage::kExact, 0, std::nullopt};
      if (!photos[i].vector.empty()) link.cosine = 1.0F;
      links.push_back(link);
    }
  }
  for (std::size_t i = 0; i < distinct.size(); ++i) {
    const Photo& a = photos[distinct[i]];
    for (std::size_t j = i + 1; j < distinct.size(); ++j) {
      const Photo& b = photos[distinct[j]];
      const std::optional<int> distance = distance_between(a, b);
      const bool alike = distance && *distance <= thresholds.distance && same_colors(a, b);
      std::optional<float> cosine;
      if (!a.vector.empty() && !b.vector.empty()) cosine = dot(a.vector, b.vector);
      if (alike) {
        links.push_back({distinct[i], distinct[j], Stage::kPerceptual, distance, cosine});
      } else if (cosine && *cosine >= thresholds.cosine) {
        links.push_back({distinct[i], distinct[j], Stage::kCosine, distance, cosine});
      }
    }
  }
  return links;
}

void sort_by_preference(std::vector<Photo>& photos) {
  std::sort(photos.begin(), photos.end(), [](const Photo& x, const Photo& y) {
    return std::tuple(y.width * y.height, y.bytes, x.path.size(), x.path) <
           std::tuple(x.width * x.height, x.bytes, y.path.size(), y.path);
  });
}

std::vector<Group> find_groups(std::span<const Photo> photos, std::span<const Link> links) {
  const auto first = first_of_equals(photos.size(), links);
  std::vector<std::vector<Link>> near(photos.size());  // only for the first of equal files
  for (const Link& link : links) {
    if (link.stage == Stage::kExact) continue;
    near[link.a].push_back(link);
    near[link.b].push_back({link.b, link.a, link.stage, link.distance, link.cosine});
  }
  std::vector<std::vector<std::size_t>> equals(photos.size());
  for (std::size_t i = 0; i < photos.size(); ++i) equals[first[i]].push_back(i);
  std::vector<Group> groups;
  std::vector<bool> taken(photos.size());
  for (std::size_t keep = 0; keep < photos.size(); ++keep) {
    if (taken[keep]) continue;
    Group group{keep, {}};
    const auto take = [&](std::size_t of_equals, const Link& link) {
      for (const std::size_t i : equals[of_equals]) {
        if (i == keep || taken[i]) continue;
        taken[i] = true;
        group.members.push_back({i, {keep, i, link.stage, link.distance, link.cosine}});
      }
    };
    Link same{keep, keep, Stage::kExact, 0, std::nullopt};
    if (!photos[keep].vector.empty()) same.cosine = 1.0F;
    take(first[keep], same);
    for (const Link& link : near[first[keep]]) take(link.b, link);
    taken[keep] = true;
    if (!group.members.empty()) groups.push_back(std::move(group));
  }
  std::sort(groups.begin(), groups.end(),
            [&](const Group& x, const Group& y) { return photos[x.keep].path < photos[y.keep].path; });
  return groups;
}

}  // namespace infer::inline v0::tools
