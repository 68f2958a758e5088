#pragma once

#include <malloc.h>

#include <cstddef>

#include "infer/core/clock.h"
#include "infer/engine/buffer_pool.h"

namespace infer::http {

/// Returns free heap memory to the kernel when no large body has come for a while. Otherwise the process
/// would keep the memory of its largest burst, because pages between live allocations are not returned.
class IdleMemory {
 public:
  /// Call this about once a second, after the pools have freed unused buffers. `bodies` is the number of
  /// large bodies so far.
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
  bool left_ = false;  ///< Bodies have come since memory was last returned.
};

}  // namespace infer::http
