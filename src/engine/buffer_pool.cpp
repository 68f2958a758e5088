#include "infer/engine/buffer_pool.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <mutex>
#include <new>
#include <utility>

namespace infer::inline v0 {
namespace {

/// A buffer serves requests of at least 1 / kSpread of its size, so that buffers of the largest batch also
/// serve smaller batches.
constexpr std::size_t kSpread = 4;
/// How often to look for unused buffers.
constexpr std::chrono::seconds kLookEvery{1};

// Sanitizers must see each allocation, to find writes beyond a buffer and use after free.
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
  State(std::shared_ptr<const Clock> time, std::size_t limit) : clock(std::move(time)), max_kept(limit) {}

  struct Buffer {
    std::unique_ptr<void, Free<kPage>> memory;
    std::size_t size = 0;
    TimePoint last_used{};
  };
  using Buffers = std::multimap<std::size_t, Buffer>;

  /// Frees a buffer; the caller holds the lock.
  void forget(Buffers::iterator entry) noexcept {
    kept -= entry->first;
    free.erase(entry);
  }

  /// Frees buffers that were unused for long; the caller holds the lock.
  void age(TimePoint now, Duration every) noexcept {
    if (now - looked < every) return;
    looked = now;
    for (auto entry = free.begin(); entry != free.end();) {
      const auto next = std::next(entry);
      if (now - entry->second.last_used >= kUnusedFor) forget(entry);
      entry = next;
    }
  }

  /// Takes the smallest buffer that fits; empty if all are too small or much too large.
  Buffer find(std::size_t bytes) {
    const std::unique_lock lock(mutex);
    age(clock->now(), kLookEvery);
    const auto found = free.lower_bound(bytes);
    if (found == free.end() || found->first / kSpread > bytes) return {};
    Buffer buffer = std::move(found->second);
    forget(found);
    return buffer;
  }

  void give(Buffer buffer) noexcept {
    try {
      const std::unique_lock lock(mutex);
      buffer.last_used = clock->now();
      age(buffer.last_used, kLookEvery);
      const std::size_t size = buffer.size;
      if (size > max_kept) return;
      while (kept > max_kept - size) {
        forget(std::ranges::min_element(free, {}, [](const auto& entry) { return entry.second.last_used; }));
      }
      // Before buffers of equal size: reusing the latest one lets superfluous ones age.
      free.emplace_hint(free.lower_bound(size), size, std::move(buffer));
      kept += size;
    } catch (const std::bad_alloc&) {  // the buffer is freed
    }
  }

  const std::shared_ptr<const Clock> clock;
  const std::size_t max_kept;
  std::mutex mutex;
  Buffers free;  ///< By size.
  std::size_t kept = 0;
  TimePoint looked{};
};

BufferPool::BufferPool(std::shared_ptr<const Clock> clock, std::size_t max_kept)
    : state_(std::make_shared<State>(clock ? std::move(clock) : std::make_shared<SteadyClock>(), max_kept)) {}

std::size_t BufferPool::kept_bytes() const {
  const std::unique_lock lock(state_->mutex);
  state_->age(state_->clock->now(), {});
  return state_->kept;
}

std::shared_ptr<void> BufferPool::take(std::size_t bytes) const {
  if (bytes > PTRDIFF_MAX - kPage) throw std::bad_alloc();
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
    auto memory = take(byte_size(dtype, shape));
    void* data = memory.get();
    return Tensor::wrap(dtype, shape, std::move(memory), data);
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  }
}

}  // namespace infer::inline v0
