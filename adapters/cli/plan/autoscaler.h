#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "infer/core/result.h"

namespace infer::cli {

/// What a HorizontalPodAutoscaler (autoscaling/v2) says, on CPU utilization.
struct AutoscalerOptions {
  struct Policy {
    bool percent = false;  ///< Of the replicas at the period's beginning; else pods.
    double value = 0;
    double period = 15;  ///< Seconds.
  };
  struct Direction {
    double stabilization = 0;  ///< Seconds whose most cautious answer counts.
    std::vector<Policy> policies;
    bool least = false;  ///< selectPolicy Min; else Max.
    bool disabled = false;
  };
  std::size_t min_replicas = 1;
  std::size_t max_replicas = 10;
  double target = 0.6;  ///< CPU used over CPU requested.
  Direction up{0, {{false, 4, 15}, {true, 100, 15}}};
  Direction down{300, {{true, 100, 15}}};
};

/// Reads `kubectl get hpa NAME -o json`. Errors: `kInvalidArgument`, `kNotFound`.
Result<AutoscalerOptions> read_autoscaler(const std::string& file);

/// The rule of the Kubernetes controller, asked once each `kPeriod`: desired = ceil(ready x utilization /
/// target), nothing within 10 % of the target, stabilized and limited by the policies (kubernetes.io,
/// "Horizontal Pod Autoscaling", section "Algorithm details").
class Autoscaler {
 public:
  static constexpr double kPeriod = 15;
  static constexpr double kTolerance = 0.1;

  explicit Autoscaler(AutoscalerOptions options) : options_(std::move(options)) {}

  /// How many replicas there shall be. `current` are asked for; `measured` of them use `utilization` of what
  /// they request on average. Those of which nothing is known yet count as using nothing when there are to be
  /// more.
  std::size_t decide(double now, std::size_t current, std::size_t measured, double utilization);

 private:
  struct Change {
    double time;
    long count;
  };
  double limit(const AutoscalerOptions::Direction& direction, double now, std::size_t current, bool up) const;

  AutoscalerOptions options_;
  std::deque<std::pair<double, std::size_t>> recommended_;
  std::deque<Change> changes_;
};

}  // namespace infer::cli
