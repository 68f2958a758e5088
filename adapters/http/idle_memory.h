#pragma once

#include <malloc.h>

#include <cstddef>

#include "infer/core/clock.h"
#include "infer/engine/buffer_pool.h"

namespace infer::http {

/// Returns to the kernel what large request bodies left in the heap, once none has come for a while. Pages
/// between pieces that live on stay with the process otherwise, up to the peak of the largest burst.
class IdleMemory {
 public:
  /// To be called about once a second, after the pools have freed what went unused. `bodies`: the number of
  /// large ones until now.
  void look(std::size_t bodies, TimePoint now) {
    if (bodies != seen_) {
      seen_ = bodies;
      since_ = now;
      left_ = true;
    } else if (left_ && now - since_ >= BufferPool::kUnusedFor) {
      left_ = false;
      malloc_trim(0);
    }
  }

 private:
  std::size_t seen_ = 0;
  TimePoint since_{};  ///< When the last body was seen.
  bool left_ = false;  ///< Bodies have come since the last time.
};

}  // namespace infer::http
