#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "infer/core/batch_policy.h"
#include "infer/core/batch_task.h"
#include "infer/core/result.h"

namespace infer::inline v0 {

/// A bounded queue that serves requests round-robin.
///
/// Not thread-safe: the scheduler guards it. The queue allocates nothing after construction.
///
/// Each queued sample has a round, and the queue serves rounds in ascending order. The first sample of a
/// request enters the round after the one being served, and each further sample enters the next round. So a
/// request of 64 samples shares the workers sample by sample with later requests. No sample can enter the
/// round being served, so the k-th sample of a request waits for k rounds, however many requests arrive. The
/// method follows Goyal, Vin, Cheng: "Start-time Fair Queueing", SIGCOMM 1996. That paper is about long
/// flows: its virtual time would stand still while new requests keep arriving.
template <BatchTask T>
class FairQueue {
 public:
  /// Reserves the memory for `limits.max_queue_size` tasks; may throw `std::bad_alloc`.
  explicit FairQueue(const BatchOptions& limits)
      : max_bytes_(limits.max_queue_bytes), max_cost_(limits.max_batch_cost), slots_(limits.max_queue_size) {
    free_slots_.reserve(slots_.size());
    for (std::size_t i = slots_.size(); i > 0; --i) free_slots_.push_back(static_cast<std::uint32_t>(i - 1));
    order_.reserve(slots_.size());
  }

  /// One queued task, without the task itself.
  struct Entry : QueueItem {
    std::uint64_t tag = 0;       ///< The round in which the task is served.
    std::uint64_t sequence = 0;  ///< The order of arrival within the round.
    std::uint32_t slot = 0;      ///< The place of the task in the queue's memory.

    /// Orders entries by round, then by arrival.
    bool operator<(const Entry& other) const noexcept {
      return tag != other.tag ? tag < other.tag : sequence < other.sequence;
    }
  };

  /// Returns the entries in the order of service; valid until the queue changes.
  std::span<const Entry> items() const noexcept { return order_; }
  /// Returns the number of queued tasks.
  std::size_t size() const noexcept { return order_.size(); }
  /// Returns true if no task is queued.
  bool empty() const noexcept { return order_.empty(); }
  /// Returns the sum of the bytes of all queued tasks.
  std::size_t bytes() const noexcept { return bytes_; }
  /// Returns the task at `position` of `items()`; valid until the queue changes.
  const T& task(std::size_t position) const noexcept { return *slots_[order_[position].slot]; }

  /// Checks whether `task` may enter now.
  ///
  /// Errors: `kInvalidArgument` with `kTooLarge` if the task can never fit, `kOverloaded` if the queue is
  /// full now.
  Result<void> admissible(const T& task) const {
    if (max_cost_ != 0 && task.cost() > max_cost_)
      return never_fits("cost", task.cost(), "max_batch_cost", max_cost_);
    if (task.bytes() > max_bytes_)
      return never_fits("sample bytes", task.bytes(), "max_queue_bytes", max_bytes_);
    if (free_slots_.empty()) {
      return fail(ErrorCode::kOverloaded, "queue is full: max_queue_size " + std::to_string(slots_.size()));
    }
    if (bytes_ + task.bytes() > max_bytes_) {
      return fail(ErrorCode::kOverloaded, "queue is full: max_queue_bytes " + std::to_string(max_bytes_));
    }
    return {};
  }

  /// Queues a task that `admissible` accepts; the queue owns it from then on.
  void push(T&& task, TimePoint now) noexcept {
    Entry entry;
    entry.enqueued = now;
    entry.cost = task.cost();
    entry.key = key_of(task);
    entry.tag = tag_for(task.lane());
    if (FairLane* lane = task.lane()) lane->next_tag = entry.tag + 1;
    entry.sequence = next_sequence_++;
    entry.slot = free_slots_.back();
    free_slots_.pop_back();
    bytes_ += task.bytes();
    slots_[entry.slot].emplace(std::move(task));
    order_.insert(std::upper_bound(order_.begin(), order_.end(), entry),
                  entry);  // within the reserved capacity
  }

  /// Counts the queued tasks that the queue serves before the next task of `lane`; null means a new request.
  std::size_t ahead_of(const FairLane* lane) const noexcept {
    Entry next;
    next.tag = tag_for(lane);
    next.sequence = next_sequence_;
    return static_cast<std::size_t>(std::upper_bound(order_.begin(), order_.end(), next) - order_.begin());
  }

  /// Removes the task at `position` without serving it and returns it.
  T remove(std::size_t position) noexcept {
    const Entry entry = order_[position];
    order_.erase(order_.begin() + static_cast<std::ptrdiff_t>(position));
    std::optional<T>& slot = slots_[entry.slot];
    T task = std::move(*slot);
    slot.reset();
    free_slots_.push_back(entry.slot);  // within the reserved capacity
    bytes_ -= task.bytes();
    return task;
  }

  /// Moves the first `count` tasks that share the key of the first into `batch`, which must have room for
  /// them.
  void serve(std::size_t count, std::vector<T>& batch) noexcept {
    const std::uint64_t key = order_.front().key;
    served_tag_ = order_.front().tag;
    for (std::size_t i = 0; i < order_.size() && batch.size() < count;) {
      if (order_[i].key == key) {
        batch.push_back(remove(i));
      } else {
        ++i;
      }
    }
  }

 private:
  std::uint64_t tag_for(const FairLane* lane) const noexcept {
    return std::max(served_tag_ + 1, lane == nullptr ? 0 : lane->next_tag);
  }

  /// Returns the key of queued tasks that may share a batch with `task`, or else an unused key.
  std::uint64_t key_of(const T& task) noexcept {
    std::uint64_t other = 0;  // key 0 is unused; comparing once is enough for neighbours of one key
    for (const Entry& entry : order_) {
      if (entry.key == other) continue;
      if (slots_[entry.slot]->shares_batch_with(task)) return entry.key;
      other = entry.key;
    }
    return ++last_key_;
  }

  static Unexpected never_fits(const char* what, std::size_t value, const char* limit, std::size_t bound) {
    return fail(
        ErrorCode::kInvalidArgument,
        std::string(what) + ": " + std::to_string(value) + " exceeds " + limit + " " + std::to_string(bound),
        ErrorDetail::kTooLarge);
  }

  std::size_t max_bytes_;
  std::size_t max_cost_;
  std::vector<std::optional<T>> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<Entry> order_;  // ascending by tag, then by arrival
  std::size_t bytes_ = 0;
  std::uint64_t served_tag_ = 0;  ///< The round being served.
  std::uint64_t last_key_ = 0;
  std::uint64_t next_sequence_ = 0;
};

}  // namespace infer::inline v0
