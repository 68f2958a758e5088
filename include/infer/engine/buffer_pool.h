#pragma once

#include <cstddef>
#include <memory>

#include "infer/core/result.h"
#include "infer/engine/tensor.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// Memory for what is large and short-lived: what one took and gave back is there for the next. A heap
/// returns such pages to the kernel, which clears them again, and fills the holes between them with what
/// stays.
///
/// Buffers may outlive the pool and be freed on any thread. What goes unused for long is freed. Thread-safe;
/// copies are the same pool.
class INFER_EXPORT BufferPool {
 public:
  BufferPool();

  /// Uninitialised memory of at least `bytes`, which returns when the last owner lets go; it begins at a page
  /// where it has at least `kLeast`, else at a multiple of 64. Throws `std::bad_alloc`.
  std::shared_ptr<void> take(std::size_t bytes) const;
  /// A tensor in such memory. Errors: `kOutOfMemory`.
  Result<Tensor> tensor(DType dtype, const Shape& shape) const;

  /// Smaller buffers are the heap's: it is good at them.
  static constexpr std::size_t kLeast = std::size_t{64} << 10;
  static constexpr std::size_t kPage = 4096;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace infer::inline v0
