#include "grouping.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <unordered_map>
#include <utility>

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

/// Over white and over black: of two transparent pictures the worse counts.
int distance_of(const Photo& a, const Photo& b) {
  return std::max(hash_distance(a.hash, b.hash), hash_distance(a.hash_over_black, b.hash_over_black));
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

bool is_better(const Photo& a, const Photo& b) {
  return std::tuple(b.width * b.height, b.bytes, a.path.size(), a.path) <
         std::tuple(a.width * a.height, a.bytes, b.path.size(), b.path);
}

std::vector<Link> find_links(std::span<const Photo> photos, const Thresholds& thresholds) {
  std::vector<Link> links;
  std::unordered_map<std::string, std::size_t> best;  // of the equal files
  for (std::size_t i = 0; i < photos.size(); ++i) {
    const auto [known, is_new] = best.emplace(photos[i].sha256, i);
    if (!is_new && is_better(photos[i], photos[known->second])) known->second = i;
  }
  std::vector<std::size_t> distinct;
  for (std::size_t i = 0; i < photos.size(); ++i) {
    const std::size_t first = best.at(photos[i].sha256);
    if (first == i) {
      if (photos[i].has_content) distinct.push_back(i);
      continue;
    }
    Link link{first, i, Stage::kExact, 0, std::nullopt};
    if (!photos[i].vector.empty()) link.cosine = 1.0F;
    links.push_back(link);
  }
  for (std::size_t i = 0; i < distinct.size(); ++i) {
    const Photo& a = photos[distinct[i]];
    for (std::size_t j = i + 1; j < distinct.size(); ++j) {
      const Photo& b = photos[distinct[j]];
      const int distance = distance_of(a, b);
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

std::vector<Group> groups_of(std::span<const Photo> photos, std::span<const Link> links) {
  std::vector<std::vector<const Link*>> of(photos.size());
  for (const Link& link : links) {
    of[link.a].push_back(&link);
    of[link.b].push_back(&link);
  }
  std::vector<std::size_t> order(photos.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return is_better(photos[a], photos[b]);
  });
  std::vector<bool> taken(photos.size());
  std::vector<Group> groups;
  for (const std::size_t keep : order) {
    if (taken[keep]) continue;
    taken[keep] = true;
    Group group{keep, {}};
    const auto take = [&](Link link, std::size_t member) {
      if (taken[member]) return;
      taken[member] = true;
      link.a = keep;
      link.b = member;
      group.links.push_back(link);
    };
    for (const Link* link : of[keep]) {
      const std::size_t member = link->a == keep ? link->b : link->a;
      if (taken[member]) continue;
      take(*link, member);
      if (link->stage == Stage::kExact) continue;
      for (const Link* equal : of[member]) {  // a file equal to the member is as far from the kept one
        if (equal->stage == Stage::kExact) take(*link, equal->a == member ? equal->b : equal->a);
      }
    }
    if (group.links.empty()) continue;
    std::sort(group.links.begin(), group.links.end(), [](const Link& a, const Link& b) { return a.b < b.b; });
    groups.push_back(std::move(group));
  }
  std::sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) {
    return std::min(a.keep, a.links.front().b) < std::min(b.keep, b.links.front().b);
  });
  return groups;
}

}  // namespace infer::cli
