#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "infer/tools/arrivals.h"
#include "infer/tools/objective.h"
#include "infer/tools/simulation.h"

namespace infer::inline v0::tools {

/// A configuration of a service, with its prediction.
struct PlannedService {
  std::string name;               ///< The configuration, such as "3 replicas" or "target 60 %".
  Prediction prediction;          ///< The predicted behaviour.
  std::size_t most_replicas = 0;  ///< The maximum number of ready servers at a time.
  bool kept = true;               ///< Whether the objective is met and no request is refused.
};

/// Predicts the service that `options` describe. With an objective, also predicts alternatives.
///
/// With an autoscaler, the alternatives are targets from 30 % to 90 %. Without one, they are numbers of
/// servers: doubled until the objective is met, at most about 4,096, then between the last two. Blocking;
/// takes seconds for many requests.
std::vector<PlannedService> plan_service(SimulationOptions options, const Arrivals& arrivals,
                                         const std::optional<Objective>& objective);

/// Returns the service with the highest utilization among those that meet the objective, or null if none
/// does.
const PlannedService* choose_service(const std::vector<PlannedService>& services);

}  // namespace infer::inline v0::tools
