#include "grouping.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <unordered_map>

#include "infer/image/perceptual_hash.h"

namespace infer::cli {
namespace {

/// In several sums, so that the compiler may vectorise what floating point forbids it to reorder.
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

/// Union-find with path halving.
class Sets {
 public:
  explicit Sets(std::size_t count) : parent_(count) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }
  std::size_t find(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  /// The smaller becomes the root.
  void join(std::size_t a, std::size_t b) {
    a = find(a);
    b = find(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<std::size_t> parent_;
};

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
    const auto [known, is_new] = first.emplace(photos[i].sha256, i);
    if (is_new) {
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
      const int distance = hash_distance(a.hash, b.hash);
      const bool alike = distance <= thresholds.distance;
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

std::vector<std::vector<std::size_t>> connected(std::size_t photos, std::span<const Link> links) {
  Sets sets(photos);
  for (const Link& link : links) sets.join(link.a, link.b);
  std::unordered_map<std::size_t, std::size_t> place;
  std::vector<std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < photos; ++i) {  // a set's root is its first member
    const auto [at, is_new] = place.emplace(sets.find(i), groups.size());
    if (is_new) groups.emplace_back();
    groups[at->second].push_back(i);
  }
  std::erase_if(groups, [](const auto& group) { return group.size() < 2; });
  return groups;
}

std::size_t best_of(std::span<const Photo> photos, std::span<const std::size_t> group) {
  return *std::min_element(group.begin(), group.end(), [&](std::size_t a, std::size_t b) {
    const Photo& x = photos[a];
    const Photo& y = photos[b];
    return std::tuple(y.width * y.height, y.bytes, x.path.size(), x.path) <
           std::tuple(x.width * x.height, x.bytes, y.path.size(), y.path);
  });
}

}  // namespace infer::cli
