#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "infer/core/result.h"

namespace infer::inline v0::tools {

/// The settings of a HorizontalPodAutoscaler (autoscaling/v2) on CPU utilization.
struct AutoscalerOptions {
  /// How much may change within a period.
  struct Policy {
    bool percent = false;  ///< The value is a percentage of the replicas at the period's start; else pods.
    double value = 0;      ///< Percent, or pods.
    double period = 15;    ///< Length of the period in seconds.
  };
  /// The rules for changes in one direction.
  struct Direction {
    double stabilization = 0;      ///< The most cautious recommendation of so many past seconds counts.
    std::vector<Policy> policies;  ///< The limits of a change.
    bool least = false;            ///< selectPolicy Min; else Max.
    bool disabled = false;         ///< selectPolicy Disabled.
  };
  std::size_t min_replicas = 1;                        ///< The fewest replicas.
  std::size_t max_replicas = 10;                       ///< The most replicas.
  double target = 0.6;                                 ///< CPU used over CPU requested.
  Direction up{0, {{false, 4, 15}, {true, 100, 15}}};  ///< Rules for more replicas.
  Direction down{300, {{true, 100, 15}}};              ///< Rules for fewer replicas.
};

/// Reads a file that `kubectl get hpa NAME -o json` wrote.
///
/// Errors: `kInvalidArgument`, `kNotFound`.
Result<AutoscalerOptions> read_autoscaler(const std::string& file);

/// The rule by which the Kubernetes controller decides once every `kPeriod` seconds.
///
/// desired = ceil(ready x utilization / target), unchanged within 10 % of the target, stabilized and limited
/// by the policies (kubernetes.io, "Horizontal Pod Autoscaling", section "Algorithm details"). Not
/// thread-safe.
class Autoscaler {
 public:
  static constexpr double kPeriod = 15;      ///< Seconds between two decisions.
  static constexpr double kTolerance = 0.1;  ///< Fraction of the target within which nothing changes.

  /// Makes a controller that has not decided anything yet.
  explicit Autoscaler(AutoscalerOptions options) : options_(std::move(options)) {}

  /// Returns the wanted number of replicas, `now` seconds after the start.
  ///
  /// `current` replicas are wanted now. The `measured` ones use, on average, the fraction `utilization`
  /// of their request. If the number grows, replicas without a measurement count as idle.
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

}  // namespace infer::inline v0::tools
