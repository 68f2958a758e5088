#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "infer/core/clock.h"
#include "infer/core/result.h"
#include "infer/engine/tensor.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// A pool of large, short-lived buffers: the pool keeps released buffers and hands them out again.
///
/// A heap would return such pages to the kernel, which clears them for the next use, and would fill the gaps
/// between them with long-lived data.
///
/// Thread-safe; copies are the same pool. Buffers may outlive the pool, and any thread may release them. The
/// pool frees buffers that stay unused for `kUnusedFor`, at the next call of `take`, at the next release, or
/// at the next `kept_bytes`.
class INFER_EXPORT BufferPool {
 public:
  /// Makes a pool that keeps at most `max_kept` bytes of released buffers; a null `clock` means the steady
  /// clock.
  explicit BufferPool(std::shared_ptr<const Clock> clock = nullptr, std::size_t max_kept = kMaxKept);

  /// Returns uninitialised memory of at least `bytes` bytes; the last owner to let go returns it to the pool.
  ///
  /// Buffers of at least `kLeast` bytes begin at a page, smaller ones at a multiple of 64 bytes. Throws
  /// `std::bad_alloc`.
  std::shared_ptr<void> take(std::size_t bytes) const;
  /// Returns an uninitialised tensor in pool memory.
  ///
  /// Errors: `kOutOfMemory`.
  Result<Tensor> tensor(DType dtype, const Shape& shape) const;

  /// Returns the bytes of released buffers that wait for their next use.
  std::size_t kept_bytes() const;

  /// Default bound on kept bytes: 1 GiB.
  static constexpr std::size_t kMaxKept = std::size_t{1} << 30;
  /// How long an unused buffer stays in the pool.
  static constexpr std::chrono::seconds kUnusedFor{3};
  /// Smallest buffer that the pool keeps; smaller ones come from the heap, which handles them well.
  static constexpr std::size_t kLeast = std::size_t{64} << 10;
  /// Size of a page, in bytes.
  static constexpr std::size_t kPage = 4096;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace infer::inline v0
