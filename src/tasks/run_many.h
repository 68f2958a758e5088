#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <stop_token>
#include <string>
#include <utility>

#include "infer/engine/engine.h"
#include "infer/tasks/request.h"

namespace infer::inline v0 {

/// A sample and what it counts for in a batch.
struct PreparedSample {
  Sample sample;
  std::size_t cost = 1;
};

/// What a request of several samples learns of its batches.
struct ManyTimings {
  Timings slowest;
  std::size_t batch_size = 0;  ///< The largest batch that one of the samples was part of.
};

inline Unexpected at_item(const char* field, std::size_t index, Error error) {
  return Unexpected(Error{
      error.code, std::string(field) + "[" + std::to_string(index) + "]: " + error.message, error.detail});
}

/// Prepares, submits and finishes `count` samples as one request: all, or the error of the first bad one,
/// which names it as field[i]. `prepare(i)` gives a Result<PreparedSample>, `finish(i, response)` takes what
/// came of it, in order, and gives a Result<void>. Blocks. Without a permit one is taken. May throw
/// std::bad_alloc.
template <class Prepare, class Finish>
Result<ManyTimings> run_many(Engine& engine, const char* field, std::size_t count,
                             const RequestOptions& options, Permit permit, Prepare prepare, Finish finish) {
  if (!permit) {
    auto own = engine.try_admit();
    if (!own) return Unexpected(own.error());
    permit = *std::move(own);
  }
  // Whatever ends this request early also takes its queued samples back.
  std::stop_source abandon;
  const std::stop_callback forward_stop(options.stop, [&] { abandon.request_stop(); });
  struct AbandonOnExit {
    std::stop_source& source;
    ~AbandonOnExit() { source.request_stop(); }
  } const abandon_on_exit{abandon};

  ManyTimings timings;
  std::size_t finished = 0;
  std::deque<Pending> outstanding;
  const auto collect_one = [&]() -> Result<void> {
    auto response = outstanding.front().get();
    outstanding.pop_front();
    if (!response) return at_item(field, finished, std::move(response.error()));
    const std::size_t item = finished++;
    if (auto done = finish(item, *response); !done) return at_item(field, item, std::move(done.error()));
    timings.slowest.queue = std::max(timings.slowest.queue, response->timings.queue);
    if (response->timings.compute > timings.slowest.compute) {
      timings.slowest.compute = response->timings.compute;
      timings.slowest.collate = response->timings.collate;
      timings.slowest.forward = response->timings.forward;
    }
    timings.batch_size = std::max(timings.batch_size, response->batch_size);
    return {};
  };
  // Prepare ahead of the workers, but only so far: memory stays bounded, whatever a request holds.
  const std::size_t window = 2 * engine.options().batch.max_batch_size;
  for (std::size_t i = 0; i < count; ++i) {
    Result<PreparedSample> prepared = prepare(i);
    if (!prepared) return at_item(field, i, std::move(prepared.error()));
    while (true) {
      if (outstanding.size() >= window) {
        if (auto collected = collect_one(); !collected) return Unexpected(collected.error());
      }
      SubmitOptions submit{options.deadline, abandon.get_token(), {}, true, prepared->cost};
      // A refused sample is still ours.
      auto pending = engine.submit(std::move(prepared->sample), std::move(submit), permit);
      if (pending) {
        outstanding.push_back(*std::move(pending));
        break;
      }
      // A full queue refuses a request at its first sample only; one under way waits for its own instead.
      if (pending.error().code != ErrorCode::kOverloaded || outstanding.empty()) {
        return i == 0 && pending.error().code != ErrorCode::kInvalidArgument
                   ? Unexpected(pending.error())
                   : at_item(field, i, std::move(pending.error()));
      }
      if (auto collected = collect_one(); !collected) return Unexpected(collected.error());
    }
  }
  while (!outstanding.empty()) {
    if (auto collected = collect_one(); !collected) return Unexpected(collected.error());
  }
  return timings;
}

/// A request's result with what it learned of its batches, or its error.
template <class Batch>
Result<Batch> with_timings(Batch&& result, const Result<ManyTimings>& timings) {
  if (!timings) return Unexpected(timings.error());
  result.timings = timings->slowest;
  result.batch_size = timings->batch_size;
  return std::forward<Batch>(result);
}

}  // namespace infer::inline v0
