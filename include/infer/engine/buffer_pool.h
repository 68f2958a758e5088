#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "infer/core/clock.h"
#include "infer/core/result.h"
#include "infer/engine/tensor.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// Memory for what is large and short-lived: what one took and gave back is there for the next. A heap
/// returns such pages to the kernel, which clears them again, and fills the holes between them with what
/// stays.
///
/// Buffers may outlive the pool and be freed on any thread. What goes unused for `kUnusedFor` is freed by the
/// next who takes, gives back or asks `kept_bytes`. Thread-safe; copies are the same pool.
class INFER_EXPORT BufferPool {
 public:
  /// Keeps no more than `max_kept` bytes of what was given back; a null clock is the steady one.
  explicit BufferPool(std::shared_ptr<const Clock> clock = nullptr, std::size_t max_kept = kMaxKept);

  /// Uninitialised memory of at least `bytes`, which returns when the last owner lets go; it begins at a page
  /// where it has at least `kLeast`, else at a multiple of 64. Throws `std::bad_alloc`.
  std::shared_ptr<void> take(std::size_t bytes) const;
  /// A tensor in such memory. Errors: `kOutOfMemory`.
  Result<Tensor> tensor(DType dtype, const Shape& shape) const;

  /// What was given back and waits for the next.
  std::size_t kept_bytes() const;

  static constexpr std::size_t kMaxKept = std::size_t{1} << 30;
  static constexpr std::chrono::seconds kUnusedFor{3};
  /// Smaller buffers are the heap's: it is good at them.
  static constexpr std::size_t kLeast = std::size_t{64} << 10;
  static constexpr std::size_t kPage = 4096;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace infer::inline v0
