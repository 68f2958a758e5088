#include "infer/engine/buffer_pool.h"

#include <cstdint>
#include <limits>
#include <map>
#include <mutex>
#include <new>
#include <utility>

namespace infer::inline v0 {
namespace {

/// A buffer serves requests down to this fraction of its size, so that those of the largest batch do for the
/// smaller ones too.
constexpr std::size_t kSpread = 4;
/// What none of so many requests needed is freed; looked for every so often.
constexpr std::uint64_t kUnused = 1024;
constexpr std::uint64_t kLookEvery = 64;

// A sanitizer shall see where a buffer ends, and who uses it after its end.
#ifdef INFER_SANITIZED
constexpr bool kKeeps = false;
#else
constexpr bool kKeeps = true;
#endif

template <std::size_t kAlignment>
struct Free {
  void operator()(void* memory) const noexcept { ::operator delete(memory, std::align_val_t(kAlignment)); }
};

template <std::size_t kAlignment>
void* allocate(std::size_t bytes) {
  return ::operator new(bytes, std::align_val_t(kAlignment));
}

}  // namespace

struct BufferPool::State {
  struct Buffer {
    std::unique_ptr<void, Free<kPage>> memory;
    std::size_t size = 0;
    std::uint64_t last_used = 0;
  };

  /// The smallest that fits; none where they are all too small, or much too large.
  Buffer find(std::size_t bytes) {
    const std::unique_lock lock(mutex);
    if (++requests % kLookEvery == 0)
      std::erase_if(free, [&](const auto& entry) { return entry.second.last_used + kUnused < requests; });
    const auto found = free.lower_bound(bytes);
    if (found == free.end() || found->first / kSpread > bytes) return {};
    Buffer buffer = std::move(found->second);
    free.erase(found);
    return buffer;
  }

  void give(Buffer buffer) noexcept {
    try {
      const std::unique_lock lock(mutex);
      buffer.last_used = requests;
      const std::size_t size = buffer.size;
      // In front of its equals: what was used last is used next, and what is too much stays unused.
      free.emplace_hint(free.lower_bound(size), size, std::move(buffer));
    } catch (const std::bad_alloc&) {  // then it is freed
    }
  }

  std::mutex mutex;
  std::multimap<std::size_t, Buffer> free;  ///< By size.
  std::uint64_t requests = 0;
};

BufferPool::BufferPool() : state_(std::make_shared<State>()) {}

std::shared_ptr<void> BufferPool::take(std::size_t bytes) const {
  if (bytes > std::numeric_limits<std::size_t>::max() - kPage) throw std::bad_alloc();
  if (bytes < kLeast || !kKeeps) {
    constexpr std::size_t kLine = 64;
    return {allocate<kLine>(bytes == 0 ? 1 : bytes), Free<kLine>()};
  }
  State::Buffer buffer = state_->find(bytes);
  if (!buffer.memory) {
    buffer.size = (bytes + kPage - 1) / kPage * kPage;
    buffer.memory.reset(allocate<kPage>(buffer.size));
  }
  struct Held {
    Held(std::shared_ptr<State> pool, State::Buffer&& taken)
        : state(std::move(pool)), buffer(std::move(taken)) {}
    ~Held() { state->give(std::move(buffer)); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    const std::shared_ptr<State> state;
    State::Buffer buffer;
  };
  const auto held = std::make_shared<Held>(state_, std::move(buffer));
  return {held, held->buffer.memory.get()};
}

Result<Tensor> BufferPool::tensor(DType dtype, const Shape& shape) const {
  try {
    auto memory = take(shape.elements() * element_size(dtype));
    void* data = memory.get();
    return Tensor::wrap(dtype, shape, std::move(memory), data);
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  }
}

}  // namespace infer::inline v0
