#include "softmax_regression.h"

#include <algorithm>
#include <cmath>

namespace infer::inline v0 {
namespace {

constexpr int kMaxIterations = 3000;
constexpr double kTolerance = 1e-6;

/// Replaces logits by probabilities; returns the log of the sum, so that -log p(label) = result -
/// logit(label).
double to_probabilities(std::vector<double>& logits) {
  const double most = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (double& value : logits) sum += value = std::exp(value - most);
  for (double& value : logits) value /= sum;
  return most + std::log(sum);
}

}  // namespace

std::vector<double> SoftmaxModel::logits(std::span<const float> features) const {
  std::vector<double> out = bias;
  for (std::size_t c = 0; c < classes; ++c) {
    const double* row = &weight[c * width];
    for (std::size_t j = 0; j < width; ++j) out[c] += row[j] * static_cast<double>(features[j]);
  }
  return out;
}

SoftmaxModel fit_softmax(const LabelledRows& rows, std::size_t classes, double regularisation) {
  SoftmaxModel model;
  model.classes = classes;
  model.width = rows.features.front().size();
  model.weight.assign(classes * model.width, 0);
  model.bias.assign(classes, 0);
  SoftmaxModel ahead = model;
  const double step = 1 / (1 + regularisation);
  const double share = 1 / static_cast<double>(rows.features.size());
  double momentum = 1;
  std::vector<double> weight_gradient(model.weight.size());
  std::vector<double> bias_gradient(classes);
  for (int iteration = 0; iteration < kMaxIterations; ++iteration) {
    for (std::size_t i = 0; i < weight_gradient.size(); ++i)
      weight_gradient[i] = regularisation * ahead.weight[i];
    std::fill(bias_gradient.begin(), bias_gradient.end(), 0);
    for (std::size_t i = 0; i < rows.features.size(); ++i) {
      std::vector<double> wrong = ahead.logits(rows.features[i]);
      to_probabilities(wrong);
      wrong[rows.labels[i]] -= 1;
      for (std::size_t c = 0; c < classes; ++c) {
        const double pull = wrong[c] * share;
        bias_gradient[c] += pull;
        double* row = &weight_gradient[c * model.width];
        for (std::size_t j = 0; j < model.width; ++j)
          row[j] += pull * static_cast<double>(rows.features[i][j]);
      }
    }
    const double next_momentum = (1 + std::sqrt(1 + 4 * momentum * momentum)) / 2;
    const double carry = (momentum - 1) / next_momentum;
    momentum = next_momentum;
    double largest = 0;
    const auto move = [&](std::vector<double>& now, std::vector<double>& then,
                          const std::vector<double>& gradient) {
      for (std::size_t i = 0; i < now.size(); ++i) {
        const double next = then[i] - step * gradient[i];
        largest = std::max(largest, std::abs(gradient[i]));
        then[i] = next + carry * (next - now[i]);
        now[i] = next;
      }
    };
    move(model.weight, ahead.weight, weight_gradient);
    move(model.bias, ahead.bias, bias_gradient);
    if (largest < kTolerance) break;
  }
  return model;
}

double log_loss(const std::vector<std::vector<double>>& logits, std::span<const std::size_t> labels,
                double temperature) {
  double sum = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    std::vector<double> scaled = logits[i];
    for (double& value : scaled) value /= temperature;
    const double right = scaled[labels[i]];
    sum += to_probabilities(scaled) - right;
  }
  return sum / static_cast<double>(logits.size());
}

double fit_temperature(const std::vector<std::vector<double>>& logits, std::span<const std::size_t> labels) {
  // The loss is convex in 1 / temperature, so golden-section search over its logarithm finds the minimum.
  const double ratio = (std::sqrt(5.0) - 1) / 2;
  double low = std::log(0.05);
  double high = std::log(20.0);
  while (high - low > 1e-4) {
    const double a = high - ratio * (high - low);
    const double b = low + ratio * (high - low);
    if (log_loss(logits, labels, std::exp(a)) < log_loss(logits, labels, std::exp(b))) {
      high = b;
    } else {
      low = a;
    }
  }
  return std::exp((low + high) / 2);
}

}  // namespace infer::inline v0
