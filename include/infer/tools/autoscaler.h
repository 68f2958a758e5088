#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "infer/core/result.h"

namespace infer::inline v0::tools {

/// Settings of a HorizontalPodAutoscaler (autoscaling/v2) that targets CPU utilization.
struct AutoscalerOptions {
  /// A limit on changes within a period.
  struct Policy {
    bool percent = false;  ///< The value is a percentage of the replicas at the period's start; else pods.
    double value = 0;      ///< Percent, or pods.
    double period = 15;    ///< Length of the period in seconds.
  };
  /// The rules for changes in one direction.
  struct Direction {
    double stabilization = 0;      ///< Window in seconds in which the most cautious recommendation wins.
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

/// The rule of the Kubernetes controller, evaluated every `kPeriod`.
///
/// desired = ceil(ready x utilization / target), unchanged within 10 % of the target, stabilized and
/// limited by the policies (kubernetes.io, "Horizontal Pod Autoscaling", section "Algorithm details"). Not
/// thread-safe.
class Autoscaler {
 public:
  static constexpr double kPeriod = 15;      ///< Seconds between two decisions.
  static constexpr double kTolerance = 0.1;  ///< Relative difference from the target that changes nothing.

  /// Makes a controller without earlier decisions.
  explicit Autoscaler(AutoscalerOptions options) : options_(std::move(options)) {}

  /// Returns the desired number of replicas at `now` seconds from the start.
  ///
  /// `current` replicas are requested. `measured` of them have been measured, and use on average
  /// `utilization` of the CPU that they request. For scaling up, replicas without a measurement count as
  /// idle.
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
