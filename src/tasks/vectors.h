#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infer/core/result.h"
#include "infer/engine/model.h"

namespace infer::inline v0 {

/// Refuses an answer that contains NaN or infinity, which would otherwise pass for a vector or a label.
/// Errors: `kModelError`, naming the model and its output.
inline Result<void> check_finite(std::string_view model, std::string_view output,
                                 std::span<const float> values) {
  const auto found = std::ranges::find_if(values, [](float value) { return !std::isfinite(value); });
  if (found == values.end()) return {};
  return fail(ErrorCode::kModelError, "model '" + std::string(model) + "', output '" + std::string(output) +
                                          "': element " + std::to_string(found - values.begin()) + " is " +
                                          (std::isnan(*found) ? "NaN" : "infinite") +
                                          ", an answer must be finite");
}
inline Result<void> check_finite(const Model& model, std::span<const float> values, std::size_t output = 0) {
  const auto& outputs = model.backend->signature().outputs;
  return check_finite(model.name, output < outputs.size() ? outputs[output].name : std::to_string(output),
                      values);
}

/// Scales to Euclidean length 1; a vector of zeros stays as it is. Computes in double, since sums of hundreds
/// of squares lose digits in float, and the scale of a very short or long vector does not fit in a float.
inline void normalise(std::span<float> vector) {
  double sum = 0;
  for (const float value : vector) sum += static_cast<double>(value) * static_cast<double>(value);
  if (!(sum > 0)) return;
  const double scale = 1.0 / std::sqrt(sum);
  for (float& value : vector) value = static_cast<float>(static_cast<double>(value) * scale);
}

/// Returns the cosine of the angle between two vectors of equal size; 0 if one of them is all zeros.
inline double cosine(std::span<const float> a, std::span<const float> b) {
  const auto product = [](std::span<const float> x, std::span<const float> y) {
    return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
  };
  const double lengths = std::sqrt(product(a, a) * product(b, b));
  return lengths > 0 ? product(a, b) / lengths : 0;
}

/// Returns the probabilities of logits: exp(x - max) divided by the sum of all.
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
