#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace infer::inline v0::tools {

/// Processes files in parallel and delivers the results in order. At most `window` files are in progress,
/// so memory does not grow with the number of files.
///
/// `threads` threads take paths from `next` (one call at a time) and call `start`, which must ensure that
/// `finish(index, result)` is called once, at any time and from any thread. `each` runs in the calling
/// thread. When `stop` is requested, no further file is taken, and files in progress are finished. Blocks
/// until all files are done.
template <class T>
class OrderedPipeline {
 public:
  using Next = std::function<std::optional<std::string>()>;
  using Start = std::function<void(std::size_t index, const std::string& path, OrderedPipeline& pipeline)>;
  using Each = std::function<void(T&& result)>;

  OrderedPipeline(std::size_t threads, std::size_t window) : threads_(threads), window_(window) {}

  void finish(std::size_t index, T&& result) {
    const std::lock_guard lock(mutex_);
    done_.emplace(index, std::move(result));
    if (index == next_result_) result_ready_.notify_one();
  }

  void run(const Next& next, const Start& start, const Each& each, const std::stop_token& stop) {
    std::vector<std::jthread> threads;
    running_ = threads_;
    for (std::size_t i = 0; i < threads_; ++i) {
      threads.emplace_back([&] { take_files(next, start, stop); });
    }
    std::unique_lock lock(mutex_);
    while (true) {
      result_ready_.wait(lock, [&] {
        return done_.contains(next_result_) || (running_ == 0 && next_result_ == next_file_);
      });
      const auto found = done_.find(next_result_);
      if (found == done_.end()) return;
      auto node = done_.extract(found);
      lock.unlock();
      each(std::move(node.mapped()));
      lock.lock();
      ++next_result_;
      room_.notify_one();
    }
  }

 private:
  void take_files(const Next& next, const Start& start, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!ended_) {
      room_.wait(lock, [&] { return ended_ || next_file_ - next_result_ < window_; });
      if (ended_ || stop.stop_requested()) break;
      auto path = next();
      if (!path) break;
      const std::size_t index = next_file_++;
      lock.unlock();
      start(index, *path, *this);
      lock.lock();
    }
    ended_ = true;
    room_.notify_all();
    if (--running_ == 0) result_ready_.notify_one();
  }

  const std::size_t threads_;
  const std::size_t window_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable result_ready_;
  std::map<std::size_t, T> done_;  // results that wait for an earlier one
  std::size_t next_file_ = 0;
  std::size_t next_result_ = 0;
  std::size_t running_ = 0;
  bool ended_ = false;
};

}  // namespace infer::inline v0::tools
