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
  /// One for all: LibTorch frees by it what it has allocated without saying when.
  c10::DeleterFnPtr raw_deleter() const override { return &give_back; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    heap_.copy_data(to, from, bytes);
  }

 private:
  /// Null when there is no more.
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
    // Few pieces of the heap begin with a page, and all of the pool's do.
    if (reinterpret_cast<std::uintptr_t>(data) % BufferPool::kPage != 0) return false;
    std::shared_ptr<void> buffer;  // let go of after the lock
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
  /// One for all workers, which seldom need the most at the same time.
  const BufferPool pool_;
  std::mutex mutex_;
  std::unordered_map<void*, std::shared_ptr<void>> taken_;
};

/// Never destroyed: tensors of other static objects may be freed later.
PoolingAllocator* allocator() {
  static auto* const kAllocator = new PoolingAllocator(*c10::GetCPUAllocator());
  return kAllocator;
}

void PoolingAllocator::give_back(void* data) {
  if (data != nullptr && !allocator()->give(data)) allocator()->free_(data);
}

}  // namespace

void TensorPool::install() {
  // A host may have put an allocator of its own there, whose pieces cannot be told from ours.
  if (c10::GetCPUAllocator()->raw_deleter() != nullptr) c10::SetCPUAllocator(allocator());
}

TensorPool::Forward::Forward() { in_forward = true; }

TensorPool::Forward::~Forward() { in_forward = false; }

}  // namespace infer::inline v0
