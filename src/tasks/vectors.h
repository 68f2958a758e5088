#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

namespace infer::inline v0 {

/// Scales to Euclidean length 1; a vector of zeros stays as it is. Sums in double, as hundreds of squares of
/// float lose digits.
inline void normalise(std::span<float> vector) {
  double sum = 0;
  for (const float value : vector) sum += static_cast<double>(value) * static_cast<double>(value);
  if (!(sum > 0)) return;
  const auto scale = static_cast<float>(1.0 / std::sqrt(sum));
  for (float& value : vector) value *= scale;
}

/// Probabilities of logits: exp(x - max), over their sum.
inline std::vector<float> softmax(std::span<const float> logits, double scale = 1) {
  double most = -INFINITY;
  for (const float value : logits) most = std::max(most, static_cast<double>(value));
  std::vector<double> powers;
  double sum = 0;
  for (const float value : logits)
    sum += powers.emplace_back(std::exp(scale * (static_cast<double>(value) - most)));
  std::vector<float> out;
  out.reserve(powers.size());
  for (const double power : powers) out.push_back(static_cast<float>(power / sum));
  return out;
}

}  // namespace infer::inline v0
