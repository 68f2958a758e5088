#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace infer::inline v0 {

/// Rows of features, each with the number of its label.
struct LabelledRows {
  std::vector<std::span<const float>> features;
  std::vector<std::size_t> labels;
};

/// Logits = weight x + bias.
struct SoftmaxModel {
  std::size_t classes = 0;
  std::size_t width = 0;
  std::vector<double> weight;  ///< [classes, width]
  std::vector<double> bias;    ///< [classes]

  std::vector<double> logits(std::span<const float> features) const;
};

/// Minimizes mean -log p(label) + regularisation / 2 |weight|^2 by accelerated gradient descent (FISTA: Beck
/// and Teboulle, 2009). For features of length 1 the gradient's Lipschitz constant is at most 1 +
/// regularisation (Boehning, 1992: 1/2 for the logits, doubled by the bias), whose inverse is the step.
SoftmaxModel fit_softmax(const LabelledRows& rows, std::size_t classes, double regularisation);

/// Returns mean -log p(label) for logits divided by `temperature`.
double log_loss(const std::vector<std::vector<double>>& logits, std::span<const std::size_t> labels,
                double temperature);

/// Returns the temperature that minimizes `log_loss`.
double fit_temperature(const std::vector<std::vector<double>>& logits, std::span<const std::size_t> labels);

}  // namespace infer::inline v0
