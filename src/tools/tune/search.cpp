#include "infer/tools/search.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace infer::inline v0::tools {
namespace {

/// Whether `a` is better: the objective comes first, then throughput. If both miss the objective, the lower
/// p95 wins.
bool better(const Trial& a, const Trial& b, double p95) {
  const bool a_keeps = p95 == 0 || a.p95 <= p95;
  const bool b_keeps = p95 == 0 || b.p95 <= p95;
  if (a_keeps != b_keeps) return a_keeps;
  return a_keeps ? a.per_second > b.per_second : a.p95 < b.p95;
}

/// Number of rounds for so many candidates, if the first candidate always stays.
std::size_t rounds_of(std::size_t count) {
  std::size_t rounds = 1;
  for (std::size_t next = 0; count > 2; count = next, ++rounds) {
    next = (count + 1) / 2 + 1;
    if (next >= count) break;
  }
  return rounds;
}

}  // namespace

Result<std::vector<Trial>> successive_halving(std::vector<Candidate> candidates, const SearchOptions& options,
                                              const Measure& measure) {
  if (candidates.empty()) return fail(ErrorCode::kInvalidArgument, "no candidates to choose from");
  const Candidate usual = candidates.front();
  const auto rounds = static_cast<double>(rounds_of(candidates.size()));
  std::vector<Trial> dropped;
  std::vector<Trial> trials;
  while (true) {
    trials.clear();
    const double each =
        std::max(options.least_trial, options.seconds / rounds / static_cast<double>(candidates.size()));
    for (const Candidate& candidate : candidates) {
      auto trial = measure(candidate, each);
      if (!trial) return Unexpected(trial.error());
      trials.push_back(*std::move(trial));
    }
    std::stable_sort(trials.begin(), trials.end(),
                     [&](const Trial& a, const Trial& b) { return better(a, b, options.p95); });
    if (trials.size() <= 2) break;
    const std::size_t kept = (trials.size() + 1) / 2;
    candidates.clear();
    for (std::size_t i = 0; i < trials.size(); ++i) {
      if (i < kept || trials[i].candidate == usual) {
        candidates.push_back(trials[i].candidate);
      } else {
        dropped.push_back(trials[i]);
      }
    }
    if (candidates.size() == trials.size()) break;  // two and the first candidate: none can be dropped
  }
  // A difference within measurement noise does not justify a change.
  const auto first = std::ranges::find(trials, usual, &Trial::candidate);
  const bool keeps = options.p95 == 0 || first->p95 <= options.p95;
  if (keeps && first->per_second * (1 + options.worth) >= trials.front().per_second)
    std::rotate(trials.begin(), first, first + 1);
  trials.insert(trials.end(), dropped.rbegin(), dropped.rend());
  return trials;
}

std::vector<Trial> front(std::vector<Trial> trials) {
  std::ranges::sort(trials, [](const Trial& a, const Trial& b) {
    return a.per_second != b.per_second ? a.per_second > b.per_second : a.p95 < b.p95;
  });
  std::vector<Trial> kept;
  double least = std::numeric_limits<double>::infinity();
  for (Trial& trial : trials) {
    if (trial.p95 >= least) continue;
    least = trial.p95;
    kept.push_back(std::move(trial));
  }
  return kept;
}

}  // namespace infer::inline v0::tools
