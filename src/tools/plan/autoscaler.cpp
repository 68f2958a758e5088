#include "infer/tools/autoscaler.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

namespace infer::inline v0::tools {
namespace {

namespace dom = simdjson::dom;

void read_direction(dom::element behavior, const char* name, AutoscalerOptions::Direction& direction) {
  dom::element found;
  if (behavior[name].get(found) != simdjson::SUCCESS) return;
  double number = 0;
  if (found["stabilizationWindowSeconds"].get(number) == simdjson::SUCCESS) direction.stabilization = number;
  std::string_view select;
  if (found["selectPolicy"].get(select) == simdjson::SUCCESS) {
    direction.least = select == "Min";
    direction.disabled = select == "Disabled";
  }
  dom::array policies;
  if (found["policies"].get(policies) != simdjson::SUCCESS) return;
  direction.policies.clear();
  for (const dom::element policy : policies) {
    AutoscalerOptions::Policy read;
    std::string_view type;
    if (policy["type"].get(type) == simdjson::SUCCESS) read.percent = type == "Percent";
    if (policy["value"].get(number) == simdjson::SUCCESS) read.value = number;
    if (policy["periodSeconds"].get(number) == simdjson::SUCCESS) read.period = number;
    direction.policies.push_back(read);
  }
}

}  // namespace

Result<AutoscalerOptions> read_autoscaler(const std::string& file) {
  dom::parser parser;
  dom::element root;
  if (const auto error = parser.load(file).get(root)) {
    return fail(error == simdjson::IO_ERROR ? ErrorCode::kNotFound : ErrorCode::kInvalidArgument,
                file + ": " + simdjson::error_message(error));
  }
  const auto bad = [&](const char* what) { return fail(ErrorCode::kInvalidArgument, file + ": " + what); };
  dom::element spec;
  if (root["spec"].get(spec) != simdjson::SUCCESS)
    return bad("spec: is missing; write the file with kubectl get hpa NAME -o json");
  AutoscalerOptions options;
  std::uint64_t count = 0;
  if (spec["minReplicas"].get(count) == simdjson::SUCCESS) options.min_replicas = count;
  if (spec["maxReplicas"].get(count) != simdjson::SUCCESS ||
      count < std::max<std::size_t>(1, options.min_replicas))
    return bad("spec.maxReplicas: must be a number of at least minReplicas");
  options.max_replicas = count;
  dom::array metrics;
  bool has_cpu = false;
  if (spec["metrics"].get(metrics) == simdjson::SUCCESS) {
    for (const dom::element metric : metrics) {
      std::string_view name;
      double percent = 0;
      if (metric["resource"]["name"].get(name) != simdjson::SUCCESS || name != "cpu") continue;
      if (metric["resource"]["target"]["averageUtilization"].get(percent) != simdjson::SUCCESS ||
          percent <= 0)
        continue;
      options.target = percent / 100;
      has_cpu = true;
    }
  }
  if (!has_cpu)
    return bad("spec.metrics: must contain averageUtilization of cpu, the only metric that is simulated");
  dom::element behavior;
  if (spec["behavior"].get(behavior) == simdjson::SUCCESS) {
    read_direction(behavior, "scaleUp", options.up);
    read_direction(behavior, "scaleDown", options.down);
  }
  return options;
}

std::size_t Autoscaler::decide(double now, std::size_t current, std::size_t measured, double utilization) {
  double wanted = static_cast<double>(current);
  if (measured > 0 && std::abs(utilization / options_.target - 1) > kTolerance) {
    double ratio = utilization / options_.target;
    double counted = static_cast<double>(measured);
    if (ratio > 1 && current > measured) {  // starting pods will take a part of the load
      ratio *= counted / static_cast<double>(current);
      counted = static_cast<double>(current);
    }
    if (std::abs(ratio - 1) > kTolerance) wanted = std::ceil(counted * ratio - 1e-9);
    // Starting pods must not turn an increase into a decrease.
    if (utilization > options_.target) wanted = std::max(wanted, static_cast<double>(current));
  }
  wanted = std::clamp(wanted, static_cast<double>(options_.min_replicas),
                      static_cast<double>(options_.max_replicas));

  recommended_.emplace_back(now, static_cast<std::size_t>(wanted));
  const double oldest = now - std::max(options_.up.stabilization, options_.down.stabilization);
  while (recommended_.front().first < oldest) recommended_.pop_front();
  auto least = static_cast<std::size_t>(wanted);
  auto most = least;
  for (const auto& [time, count] : recommended_) {
    if (time >= now - options_.up.stabilization) least = std::min(least, count);
    if (time >= now - options_.down.stabilization) most = std::max(most, count);
  }
  std::size_t next = current;
  if (current < least) next = least;
  if (current > most) next = most;

  const auto bound = [](double value) { return static_cast<std::size_t>(std::max(0.0, value)); };
  if (next > current) next = std::max(current, std::min(next, bound(limit(options_.up, now, current, true))));
  if (next < current)
    next = std::min(current, std::max(next, bound(limit(options_.down, now, current, false))));
  if (next != current) changes_.push_back({now, static_cast<long>(next) - static_cast<long>(current)});
  return next;
}

/// Returns the maximum number of replicas that the policies allow now, or the minimum when scaling down.
double Autoscaler::limit(const AutoscalerOptions::Direction& direction, double now, std::size_t current,
                         bool up) const {
  if (direction.disabled) return static_cast<double>(current);
  std::optional<double> chosen;
  for (const auto& policy : direction.policies) {
    double changed = 0;  // replicas changed in this direction within the policy's period
    for (const Change& change : changes_) {
      if (change.time > now - policy.period && (change.count > 0) == up)
        changed += static_cast<double>(change.count);
    }
    const double start = static_cast<double>(current) - changed;
    double allowed = 0;
    if (up) {
      allowed = policy.percent ? std::ceil(start * (1 + policy.value / 100)) : start + policy.value;
    } else {
      allowed = policy.percent ? std::floor(start * (1 - policy.value / 100)) : start - policy.value;
    }
    const bool further = chosen && (up ? allowed > *chosen : allowed < *chosen);
    if (!chosen || further != direction.least) chosen = allowed;
  }
  return chosen.value_or(static_cast<double>(current));
}

}  // namespace infer::inline v0::tools
