#include "infer/image/decode_budget.h"

#include <optional>
#include <string>

namespace infer::inline v0 {

/// Waiters form a list on their own stacks, oldest first, so that waiting allocates nothing.
struct DecodeBudget::State {
  struct Waiter {
    std::size_t bytes = 0;
    bool granted = false;
    std::condition_variable wake;
    Waiter* next = nullptr;
  };

  explicit State(std::size_t bytes) noexcept : limit(bytes) {}

  /// Gives memory to the oldest waiters while there is enough. Wakes them under the lock, so that a waiter
  /// cannot return before it has been woken.
  void grant() noexcept {
    while (first != nullptr && first->bytes <= limit - used) {
      Waiter& waiter = *first;
      used += waiter.bytes;
      first = waiter.next;
      waiter.granted = true;
      waiter.wake.notify_one();
    }
  }

  void add(Waiter& waiter) noexcept {
    Waiter** place = &first;
    while (*place != nullptr) place = &(*place)->next;
    *place = &waiter;
  }

  void remove(const Waiter& waiter) noexcept {
    for (Waiter** place = &first; *place != nullptr; place = &(*place)->next) {
      if (*place != &waiter) continue;
      *place = waiter.next;
      return;
    }
  }

  const std::size_t limit;
  mutable std::mutex mutex;
  std::size_t used = 0;
  Waiter* first = nullptr;
};

DecodeBudget::DecodeBudget(std::size_t limit_bytes) : state_(std::make_shared<State>(limit_bytes)) {}

void DecodeBudget::Lease::shrink(std::size_t bytes) noexcept {
  if (bytes >= bytes_) return;
  const std::lock_guard lock(state_->mutex);
  state_->used -= bytes_ - bytes;
  bytes_ = bytes;
  state_->grant();
}

namespace {

/// Returns the error for a request that did not get its memory.
Error refusal(ErrorCode code, std::size_t bytes, std::size_t limit) {
  const std::string wanted = std::to_string(bytes) + " bytes to decode ";
  const std::string bound = "max_decode_bytes " + std::to_string(limit);
  if (code == ErrorCode::kCancelled) return {code, "cancelled", {}};
  if (code == ErrorCode::kInvalidArgument) return {code, wanted + "exceed " + bound, ErrorDetail::kTooLarge};
  return {
      ErrorCode::kOverloaded, wanted + "were not free before the deadline; other images use " + bound, {}};
}

}  // namespace

Result<DecodeBudget::Lease> DecodeBudget::acquire(std::size_t bytes, const StopCondition& until) noexcept {
  try {
    State& state = *state_;
    if (bytes > state.limit) return Unexpected(refusal(ErrorCode::kInvalidArgument, bytes, state.limit));
    const SteadyClock steady;
    const Clock& clock = until.clock != nullptr ? *until.clock : steady;
    State::Waiter waiter;
    waiter.bytes = bytes;
    // Declared before the lock, since its destructor waits for a running callback, which takes the lock.
    const std::stop_callback on_stop(until.stop, [&]() noexcept {
      const std::lock_guard lock(state.mutex);
      waiter.wake.notify_one();
    });
    std::unique_lock lock(state.mutex);
    state.add(waiter);
    state.grant();
    std::optional<ErrorCode> ended;
    while (!waiter.granted && !(ended = until.reached())) clock.wait_until(waiter.wake, lock, until.deadline);
    // `grant` has removed the waiter from the list.
    // NOLINTNEXTLINE(clang-analyzer-core.StackAddressEscape)
    if (waiter.granted) return Lease(state_, bytes);
    state.remove(waiter);
    state.grant();  // later waiters may be smaller
    return Unexpected(refusal(*ended, bytes, state.limit));
  } catch (...) {
    return Unexpected(out_of_memory());
  }
}

std::size_t DecodeBudget::limit_bytes() const noexcept { return state_->limit; }

std::size_t DecodeBudget::used_bytes() const noexcept {
  const std::lock_guard lock(state_->mutex);
  return state_->used;
}

std::size_t DecodeBudget::waiting() const noexcept {
  const std::lock_guard lock(state_->mutex);
  std::size_t count = 0;
  for (const auto* waiter = state_->first; waiter != nullptr; waiter = waiter->next) ++count;
  return count;
}

}  // namespace infer::inline v0
