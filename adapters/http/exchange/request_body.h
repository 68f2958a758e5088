#pragma once

#include <atomic>
#include <cstddef>

#include "exchange/exchange.h"
#include "message/request_head.h"
#include "transport/connection.h"
#include "transport/listener_options.h"

namespace infer::http {

/// Limits the memory of all bodies together, including pooled buffers that wait for reuse.
class BodyBudget {
 public:
  explicit BodyBudget(std::size_t limit) : limit_(limit) {}

  /// Frees buffers that have not been used for long.
  void tidy() const { (void)pool_.kept_bytes(); }
  /// Number of large bodies so far. Only large bodies can leave much free memory in the heap.
  std::size_t count() const noexcept { return count_.load(std::memory_order_relaxed); }

  /// The memory that one request holds. Released when the share is destroyed.
  class Share {
   public:
    explicit Share(BodyBudget& budget) : budget_(budget) {}
    ~Share() {
      if (held_ == 0) return;
      budget_.used_.fetch_sub(held_);
      if (held_ >= kLarge) budget_.count_.fetch_add(1, std::memory_order_relaxed);
    }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    const BufferPool& pool() const noexcept { return budget_.pool_; }
    /// Changes the held size to `bytes`. Returns false if that exceeds the limit.
    bool hold(std::size_t bytes) {
      const std::size_t others =
          budget_.used_.fetch_add(bytes - held_) - held_;  // wraps around if the size shrinks
      held_ = bytes;
      const std::size_t all = others + bytes;
      return all <= budget_.limit_ - budget_.most_kept() ||
             (all <= budget_.limit_ && all + budget_.pool_.kept_bytes() <= budget_.limit_);
    }
    bool hold_more(std::size_t bytes) { return hold(held_ + bytes); }

   private:
    BodyBudget& budget_;
    std::size_t held_ = 0;
  };

 private:
  static constexpr std::size_t kLarge = std::size_t{1} << 20;
  std::size_t most_kept() const noexcept { return limit_ / 4; }

  const std::size_t limit_;
  std::atomic<std::size_t> used_{0};
  std::atomic<std::size_t> count_{0};
  const BufferPool pool_{nullptr, most_kept()};
};

/// Reads the body into the exchange, without framing and encoding. Returns false if it has answered with an
/// error. The limits apply to the body before and after decompression.
bool read_body(Exchange& exchange, Connection& connection, const RequestHead& head,
               const ListenerOptions& options, BodyBudget::Share& budget);

/// Reads and discards a limited part of an unwanted body, so that the connection stays usable.
void discard_body(Connection& connection, const RequestHead& head);

}  // namespace infer::http
