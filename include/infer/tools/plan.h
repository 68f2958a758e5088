#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "infer/tools/arrivals.h"
#include "infer/tools/objective.h"
#include "infer/tools/simulation.h"

namespace infer::inline v0::tools {

/// One way to run a service, and what is predicted of it.
struct PlannedService {
  std::string name;               ///< What was assumed, such as "3 replicas" or "target 60 %".
  Prediction prediction;          ///< What happens.
  std::size_t most_replicas = 0;  ///< The most servers that are ready at a time.
  bool kept = true;               ///< Whether the objective is kept and no request is refused.
};

/// Predicts a service as `options` have it; with an objective also the services among which to choose.
///
/// With an autoscaler those are targets from 30 % to 90 %. Without one they are numbers of servers: twice as
/// many until the objective is kept, at most 4,096 or so, then between the last two. Blocking; takes seconds
/// for many requests.
std::vector<PlannedService> plan_service(SimulationOptions options, const Arrivals& arrivals,
                                         const std::optional<Objective>& objective);

/// Returns what to set: of the services that keep the objective the one with the highest utilization. Null if
/// none does.
const PlannedService* choose_service(const std::vector<PlannedService>& services);

}  // namespace infer::inline v0::tools
