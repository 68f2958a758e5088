#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <thread>
#include <vector>

namespace infer::inline v0 {

/// Does the parts of a request in parallel, on usable cores that no other request occupies.
///
/// The calling thread does one part; all requests together have at most `most` further threads. A thread
/// lives for one call: starting it takes some 20 us, and a part should take much longer.
class Helpers {
 public:
  explicit Helpers(std::size_t most) : most_(most), free_(static_cast<std::ptrdiff_t>(most)) {}
  Helpers(const Helpers&) = delete;
  Helpers& operator=(const Helpers&) = delete;

  /// Calls `part(first)`, `part(first + 1)`, … below `end` once each: the first in the calling thread, and
  /// one more for each free thread. Blocks until all have ended and returns the number after the last. `part`
  /// must not throw.
  template <class Part>
  std::size_t some(std::size_t first, std::size_t end, const Part& part) {
    std::vector<std::jthread> others;
    std::size_t next = first + 1;
    end = std::min(end, next + most_);
    try {
      while (next < end && take()) {
        try {
          others.emplace_back([this, &part, next] {
            part(next);
            free_.fetch_add(1);
          });
        } catch (...) {
          free_.fetch_add(1);
          throw;
        }
        ++next;
      }
    } catch (const std::exception&) {  // no thread or no memory: the caller does the rest itself
    }
    part(first);
    others.clear();  // waits for them
    return next;
  }

 private:
  bool take() noexcept {
    if (free_.fetch_sub(1) > 0) return true;
    free_.fetch_add(1);
    return false;
  }

  const std::size_t most_;
  std::atomic<std::ptrdiff_t> free_;
};

}  // namespace infer::inline v0
