#pragma once

namespace infer::inline v0 {

/// Gives the tensors between a network's layers, which are megabytes that live for microseconds, memory from
/// a `BufferPool`.
class TensorPool {
 public:
  /// Lets LibTorch's CPU allocator ask the pool first; once per process, before the first forward.
  static void install();

  /// While it lives, large CPU tensors made on this thread come from the pool. They may outlive scope and
  /// thread, and be destroyed on any thread. Nothing is pooled before `install`.
  class Forward {
   public:
    Forward();
    ~Forward();
    Forward(const Forward&) = delete;
    Forward& operator=(const Forward&) = delete;
  };
};

}  // namespace infer::inline v0
