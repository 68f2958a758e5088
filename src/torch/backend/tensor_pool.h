#pragma once

namespace infer::inline v0 {

/// Lets the tensors between a network's layers, which are large and short-lived, use memory from a
/// `BufferPool`.
class TensorPool {
 public:
  /// Lets LibTorch's CPU allocator ask the pool first; once per process, before the first forward.
  static void install();

  /// While the object exists, large CPU tensors made on this thread come from the pool. The tensors may
  /// outlive object and thread, and be destroyed on any thread. Nothing is pooled before `install`.
  class Forward {
   public:
    Forward();
    ~Forward();
    Forward(const Forward&) = delete;
    Forward& operator=(const Forward&) = delete;
  };
};

}  // namespace infer::inline v0
