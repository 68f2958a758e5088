#include "tensor_pool.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <unordered_map>
#include <utility>

#include "infer/engine/buffer_pool.h"

namespace infer::inline v0 {
namespace {

thread_local bool in_forward = false;

class PoolingAllocator final : public c10::Allocator {
 public:
  explicit PoolingAllocator(c10::Allocator& heap) : heap_(heap), free_(heap.raw_deleter()) {}

  c10::DataPtr allocate(std::size_t bytes) override {
    void* data = in_forward && bytes >= BufferPool::kLeast ? take(bytes) : nullptr;
    if (data == nullptr) data = heap_.raw_allocate(bytes);
    return {data, data, &give_back, at::Device(at::kCPU)};
  }
  /// One deleter for pool and heap, since LibTorch does not say where it allocated the memory that it frees.
  c10::DeleterFnPtr raw_deleter() const override { return &give_back; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    heap_.copy_data(to, from, bytes);
  }

 private:
  /// Returns null if memory is exhausted.
  void* take(std::size_t bytes) noexcept {
    try {
      std::shared_ptr<void> buffer = pool_.take(bytes);
      void* data = buffer.get();
      const std::unique_lock lock(mutex_);
      taken_.emplace(data, std::move(buffer));
      return data;
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
  }

  bool give(void* data) noexcept {
    // All buffers of the pool begin at a page, and few of the heap do, so most calls need no lock.
    if (reinterpret_cast<std::uintptr_t>(data) % BufferPool::kPage != 0) return false;
    std::shared_ptr<void> buffer;  // released after the lock
    const std::unique_lock lock(mutex_);
    const auto found = taken_.find(data);
    if (found == taken_.end()) return false;
    buffer = std::move(found->second);
    taken_.erase(found);
    return true;
  }

  static void give_back(void* data);

  c10::Allocator& heap_;
  const c10::DeleterFnPtr free_;
  /// One pool for all workers, which seldom need their maximum at the same time.
  const BufferPool pool_;
  std::mutex mutex_;
  std::unordered_map<void*, std::shared_ptr<void>> taken_;
};

/// The allocator is never destroyed, since tensors of other static objects may be freed later.
PoolingAllocator* allocator() {
  static auto* const kAllocator = new PoolingAllocator(*c10::GetCPUAllocator());
  return kAllocator;
}

void PoolingAllocator::give_back(void* data) {
  if (data != nullptr && !allocator()->give(data)) allocator()->free_(data);
}

}  // namespace

void TensorPool::install() {
  // The host may have set an allocator of its own without a raw deleter, whose memory cannot be told from the
  // pool's.
  if (c10::GetCPUAllocator()->raw_deleter() != nullptr) c10::SetCPUAllocator(allocator());
}

TensorPool::Forward::Forward() { in_forward = true; }

TensorPool::Forward::~Forward() { in_forward = false; }

}  // namespace infer::inline v0
