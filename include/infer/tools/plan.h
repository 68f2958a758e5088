#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "infer/tools/arrivals.h"
#include "infer/tools/objective.h"
#include "infer/tools/simulation.h"

namespace infer::inline v0::tools {

/// One way to run a service, and the prediction for it.
struct PlannedService {
  std::string name;               ///< What was assumed, such as "3 replicas" or "target 60 %".
  Prediction prediction;          ///< What happens.
  std::size_t most_replicas = 0;  ///< The most servers that are ready at a time.
  bool kept = true;               ///< Whether the objective is kept and no request is refused.
};

/// Predicts the service that `options` describe and, with an objective, alternatives to choose from.
///
/// With an autoscaler, the alternatives are targets from 30 % to 90 %. Without an autoscaler, the
/// alternatives are numbers of servers: the number doubles until the objective is kept (up to about 4,096),
/// then a search between the last two numbers follows. Blocking; takes seconds for many requests.
std::vector<PlannedService> plan_service(SimulationOptions options, const Arrivals& arrivals,
                                         const std::optional<Objective>& objective);

/// Returns the service with the highest utilization among those that keep the objective; null if none does.
const PlannedService* choose_service(const std::vector<PlannedService>& services);

}  // namespace infer::inline v0::tools
