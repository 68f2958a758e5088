#include "infer/tools/plan.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

namespace infer::inline v0::tools {
namespace {

PlannedService predict(std::string name, const SimulationOptions& options, const Arrivals& arrivals,
                       const std::optional<Objective>& objective) {
  PlannedService row{std::move(name), simulate(options, arrivals), 0, true};
  for (const auto& [time, count] : row.prediction.replicas)
    row.most_replicas = std::max(row.most_replicas, count);
  if (objective) {
    row.kept = row.prediction.refused == 0 &&
               row.prediction.times.percentile(objective->fraction) <= objective->seconds;
  }
  return row;
}

}  // namespace

std::vector<PlannedService> plan_service(SimulationOptions options, const Arrivals& arrivals,
                                         const std::optional<Objective>& objective) {
  std::vector<PlannedService> rows;
  if (!objective) {
    rows.push_back(predict("as given", options, arrivals, objective));
  } else if (options.autoscaler) {
    std::set<long> percents{std::lround(options.autoscaler->target * 100)};
    for (long percent = 30; percent <= 90; percent += 10) percents.insert(percent);
    for (const long percent : percents) {
      options.autoscaler->target = static_cast<double>(percent) / 100;
      rows.push_back(predict("target " + std::to_string(percent) + " %", options, arrivals, objective));
    }
  } else {
    // Double the number until the objective is met, then search between the last two.
    std::size_t low = 0;
    std::size_t high = options.replicas;
    const auto keeps = [&](std::size_t count) {
      options.replicas = count;
      rows.push_back(predict(std::to_string(count) + (count == 1 ? " replica" : " replicas"), options,
                             arrivals, objective));
      return rows.back().kept;
    };
    while (!keeps(high) && high < 4096) low = std::exchange(high, high * 2);
    while (high - low > 1) {
      const std::size_t middle = (low + high) / 2;
      (keeps(middle) ? high : low) = middle;
    }
    std::ranges::sort(rows, {}, &PlannedService::most_replicas);
  }
  return rows;
}

const PlannedService* choose_service(const std::vector<PlannedService>& services) {
  const PlannedService* best = nullptr;
  for (const PlannedService& row : services) {
    const auto cost = [](const PlannedService& r) { return r.prediction.utilization; };
    if (row.kept && (best == nullptr || cost(row) > cost(*best))) best = &row;
  }
  return best;
}

}  // namespace infer::inline v0::tools
