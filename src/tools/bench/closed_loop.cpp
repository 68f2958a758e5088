#include "infer/tools/closed_loop.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace infer::inline v0::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kTogether = 0.002;  // maximum seconds between answers of one batch

/// An answer with its time and its latency, in seconds.
struct Answer {
  double at;
  double took;
};

}  // namespace

Result<ClosedLoop> closed_loop(const SampleRequest& request, std::size_t clients, double seconds,
                               const std::stop_token& stop) {
  std::vector<std::vector<Answer>> answers(clients);
  std::vector<std::optional<Error>> errors(clients);
  const auto start = Clock::now();
  const auto so_far = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < clients; ++i) {
      threads.emplace_back([&, i] {
        while (!stop.stop_requested() && !errors[i]) {
          const double sent = so_far();
          if (sent >= seconds) break;
          if (auto done = request(); !done) {
            errors[i] = done.error();
            break;
          }
          const double at = so_far();
          answers[i].push_back({at, at - sent});
        }
      });
    }
  }
  if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "interrupted");
  for (const auto& error : errors) {
    if (error) return Unexpected(*error);
  }
  std::vector<Answer> all;
  for (auto& of_one : answers) all.insert(all.end(), of_one.begin(), of_one.end());
  std::ranges::sort(all, {}, &Answer::at);
  // The answers of a batch arrive together, so the rate is measured between the ends of two batches,
  // without partial batches.
  const auto ended =
      std::ranges::find_if(all, [&](const Answer& answer) { return answer.at >= seconds / 5; });
  const auto last =
      std::ranges::find_if(ended, all.end(), [&](const Answer& answer) { return answer.at >= seconds; });
  const auto first =
      std::find_if(ended, last, [&](const Answer& answer) { return answer.at > ended->at + kTogether; });
  const auto counted = std::distance(first, last);
  if (counted < 2) {
    const double total = all.empty() ? seconds : all.back().at;
    return ClosedLoop{static_cast<double>(all.size()) / total, all.empty() ? total : all.back().took};
  }
  ClosedLoop seen;
  seen.per_second = static_cast<double>(counted) / (std::prev(last)->at - ended->at);
  std::vector<double> times;
  for (auto answer = first; answer != last; ++answer) times.push_back(answer->took);
  const auto middle =
      times.begin() + static_cast<std::ptrdiff_t>(0.95 * static_cast<double>(times.size() - 1));
  std::ranges::nth_element(times, middle);
  seen.p95 = *middle;
  return seen;
}

}  // namespace infer::inline v0::tools
