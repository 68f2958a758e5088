#include "infer/tools/send_on_time.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace infer::inline v0::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kGrace = 0.05;  // seconds that a thread may wake late

}  // namespace

double send_on_time(Arrivals& arrivals, const SendOptions& options, Tally& tally,
                    const std::stop_token& stop) {
  const auto start = Clock::now();
  const auto seconds_so_far = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  std::mutex arriving;
  const auto next_arrival = [&] {
    const std::lock_guard lock(arriving);
    return arrivals.next();
  };
  std::mutex sleeping;
  std::condition_variable_any awake;
  std::atomic<std::size_t> running{options.connections};
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < options.connections; ++i) {
    threads.emplace_back([&] {
      const SendRequest send = options.connect();
      while (const auto due = next_arrival()) {
        {
          std::unique_lock lock(sleeping);
          awake.wait_until(
              lock, stop,
              start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(*due)),
              [] { return false; });
        }
        if (stop.stop_requested()) break;
        const double sent = seconds_so_far();
        if (sent > arrivals.seconds() + kGrace) {
          tally.add({*due, sent, sent, "not sent: every connection was busy", false});
          continue;
        }
        const Answer answer = send();
        tally.add({*due, sent, seconds_so_far(), answer.what, answer.ok});
      }
      --running;
    });
  }
  for (auto tick = start + std::chrono::seconds(1); running > 0; tick += std::chrono::seconds(1)) {
    while (running > 0 && Clock::now() < tick) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (running > 0 && options.every_second) options.every_second(seconds_so_far());
  }
  threads.clear();
  return seconds_so_far();
}

}  // namespace infer::inline v0::tools
