#include "infer/series/prophet.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace infer::inline v0 {
namespace {

constexpr std::size_t kChangepoints = 25;
constexpr double kChangepointRange = 0.8;
constexpr double kLaplaceScale = 0.05;
constexpr double kSeasonalDeviation = 10;
constexpr double kTrendDeviation = 5;
constexpr double kSigmaDeviation = 0.5;

constexpr double kDay = 86400;
constexpr double kYear = 365.25 * kDay;

/// Columns of the linear model: offset, slope, changes, then the seasons' sines and cosines.
void features(const ProphetCurve& curve, double time, std::vector<double>& out) {
  out.clear();
  const double t = (time - curve.start) / curve.span;
  out.push_back(1);
  out.push_back(t);
  for (const double place : curve.changepoints) out.push_back(std::max(0.0, t - place));
  for (const Seasonality& season : curve.seasonalities) {
    for (std::size_t n = 1; n <= season.order; ++n) {
      const double angle = 2 * std::numbers::pi * static_cast<double>(n) * time / season.period;
      out.push_back(std::sin(angle));
      out.push_back(std::cos(angle));
    }
  }
}

/// Minimizes |y - X theta|^2 / (2 sigma^2) + sum ridge_j theta_j^2 / 2 + sum lasso_j |theta_j| over theta by
/// coordinate descent on the normal equations. Coordinate descent finds the minimum, since the objective is
/// convex and its kinks are separable (Tseng, 2001).
class Descent {
 public:
  Descent(const std::vector<std::vector<double>>& rows, std::span<const double> values)
      : size_(rows.front().size()), gram_(size_ * size_), product_(size_), theta_(size_) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (std::size_t a = 0; a < size_; ++a) {
        product_[a] += rows[i][a] * values[i];
        for (std::size_t b = 0; b < size_; ++b) gram_[a * size_ + b] += rows[i][a] * rows[i][b];
      }
    }
  }

  void minimise(double variance, const std::vector<double>& ridge, const std::vector<double>& lasso) {
    for (int sweep = 0; sweep < 20000; ++sweep) {
      double moved = 0;
      for (std::size_t j = 0; j < size_; ++j) {
        double gradient = product_[j];
        const double* row = &gram_[j * size_];
        for (std::size_t b = 0; b < size_; ++b) gradient -= row[b] * theta_[b];
        gradient += row[j] * theta_[j];
        const double curvature = row[j] + variance * ridge[j];
        if (curvature <= 0) continue;
        const double threshold = variance * lasso[j];
        const double shrunk = gradient > threshold    ? gradient - threshold
                              : gradient < -threshold ? gradient + threshold
                                                      : 0;
        const double next = shrunk / curvature;
        moved = std::max(moved, std::abs(next - theta_[j]) * std::sqrt(row[j]));
        theta_[j] = next;
      }
      if (moved < 1e-7) return;
    }
  }

  const std::vector<double>& theta() const { return theta_; }

 private:
  std::size_t size_;
  std::vector<double> gram_;
  std::vector<double> product_;
  std::vector<double> theta_;
};

std::vector<Seasonality> seasons_of(double length, const Step& step, bool numbered, std::size_t season) {
  std::vector<Seasonality> seasons;
  if (numbered) {
    if (season > 1 && length >= 2 * static_cast<double>(season))
      seasons.push_back({static_cast<double>(season), std::clamp<std::size_t>(season / 2, 1, 10), {}});
    return seasons;
  }
  const double seconds = step.months > 0 ? static_cast<double>(step.months) * kYear / 12 : step.seconds;
  // Adds no more waves than the rows can distinguish.
  const auto add = [&](double period, std::size_t order) {
    const auto resolved = static_cast<std::size_t>(period / seconds / 2);
    if (length >= 2 * period && resolved >= 1) seasons.push_back({period, std::min(order, resolved), {}});
  };
  add(kYear, 10);
  if (seconds <= kDay) add(7 * kDay, 3);
  if (seconds < kDay) add(kDay, 4);
  return seasons;
}

}  // namespace

double ProphetCurve::at(double time) const {
  const double t = (time - start) / span;
  double value = offset + slope * t;
  for (std::size_t i = 0; i < changepoints.size(); ++i)
    value += changes[i] * std::max(0.0, t - changepoints[i]);
  for (const Seasonality& season : seasonalities) {
    for (std::size_t n = 1; n <= season.order; ++n) {
      const double angle = 2 * std::numbers::pi * static_cast<double>(n) * time / season.period;
      value +=
          season.coefficients[2 * n - 2] * std::sin(angle) + season.coefficients[2 * n - 1] * std::cos(angle);
    }
  }
  return value;
}

double ProphetCurve::deviation(double time) const {
  const double after = (time - start) / span - 1;
  if (after <= 0 || changepoints.empty()) return sigma;
  double scale = 0;
  for (const double change : changes) scale += std::abs(change);
  scale /= static_cast<double>(changes.size());
  const double rate = static_cast<double>(changepoints.size()) / kChangepointRange;
  return std::sqrt(sigma * sigma + rate * 2 * scale * scale * after * after * after / 3);
}

ProphetCurve fit_prophet(std::span<const double> times, std::span<const double> values, const Step& step,
                         bool numbered, std::size_t season) {
  ProphetCurve curve;
  curve.start = times.front();
  curve.span = std::max(times.back() - times.front(), 1e-9);
  const std::size_t places = std::min(kChangepoints, values.size() / 4);
  for (std::size_t i = 1; i <= places; ++i)
    curve.changepoints.push_back(kChangepointRange * static_cast<double>(i) /
                                 static_cast<double>(places + 1));
  curve.seasonalities = seasons_of(curve.span, step, numbered, season);
  std::vector<std::vector<double>> rows(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) features(curve, times[i], rows[i]);
  const std::size_t size = rows.front().size();
  std::vector<double> ridge(size, 1 / (kSeasonalDeviation * kSeasonalDeviation));
  std::vector<double> lasso(size, 0);
  for (std::size_t j = 0; j < 2; ++j) ridge[j] = 1 / (kTrendDeviation * kTrendDeviation);
  for (std::size_t j = 2; j < 2 + places; ++j) {
    ridge[j] = 0;
    lasso[j] = 1 / kLaplaceScale;
  }
  Descent descent(rows, values);
  const auto count = static_cast<double>(values.size());
  double variance = 0.01;
  for (int round = 0; round < 20; ++round) {
    descent.minimise(variance, ridge, lasso);
    double squares = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      double left = values[i];
      for (std::size_t j = 0; j < size; ++j) left -= rows[i][j] * descent.theta()[j];
      squares += left * left;
    }
    // The root of -n / sigma + squares / sigma^3 - sigma / 0.25 = 0, the half-normal prior on sigma included.
    const double prior = kSigmaDeviation * kSigmaDeviation;
    const double next = std::max((std::sqrt(count * count + 4 * squares / prior) - count) * prior / 2, 1e-12);
    const bool settled = std::abs(next - variance) <= 1e-6 * variance;
    variance = next;
    if (settled) break;
  }
  const std::vector<double>& theta = descent.theta();
  curve.offset = theta[0];
  curve.slope = theta[1];
  curve.changes.assign(theta.begin() + 2, theta.begin() + 2 + static_cast<std::ptrdiff_t>(places));
  std::size_t next = 2 + places;
  for (Seasonality& part : curve.seasonalities) {
    for (std::size_t n = 0; n < 2 * part.order; ++n) part.coefficients.push_back(theta[next++]);
  }
  curve.sigma = std::sqrt(variance);
  return curve;
}

}  // namespace infer::inline v0
