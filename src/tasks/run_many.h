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

/// A sample and its cost in a batch.
struct PreparedSample {
  Sample sample;
  std::size_t cost = 1;
};

/// What a request of several samples learns about its batches.
struct ManyTimings {
  Timings slowest;
  std::size_t batch_size = 0;  ///< The largest batch that one of the samples was part of.
};

inline Unexpected at_item(const char* field, std::size_t index, Error error) {
  return Unexpected(Error{
      error.code, std::string(field) + "[" + std::to_string(index) + "]: " + error.message, error.detail});
}

/// Prepares, submits and finishes `count` samples as one request. The first bad sample ends the request with
/// its error, which names the sample as field[i]. `prepare(i)` returns a Result<PreparedSample>; `finish(i,
/// response)` receives the responses in order and returns a Result<void>. Blocks. Takes a permit if `permit`
/// is empty. May throw std::bad_alloc.
template <class Prepare, class Finish>
Result<ManyTimings> run_many(Engine& engine, const char* field, std::size_t count,
                             const RequestOptions& options, Permit permit, Prepare prepare, Finish finish) {
  if (!permit) {
    auto own = engine.try_admit();
    if (!own) return Unexpected(own.error());
    permit = *std::move(own);
  }
  // If this request ends early, its queued samples are cancelled.
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
  // Prepares a limited number of samples ahead of the workers, so that memory stays bounded.
  const std::size_t window = 2 * engine.options().batch.max_batch_size;
  for (std::size_t i = 0; i < count; ++i) {
    Result<PreparedSample> prepared = prepare(i);
    if (!prepared) return at_item(field, i, std::move(prepared.error()));
    while (true) {
      if (outstanding.size() >= window) {
        if (auto collected = collect_one(); !collected) return Unexpected(collected.error());
      }
      SubmitOptions submit{options.deadline, abandon.get_token(), {}, true, prepared->cost};
      // If `submit` refuses the sample, `prepared` still owns it.
      auto pending = engine.submit(std::move(prepared->sample), std::move(submit), permit);
      if (pending) {
        outstanding.push_back(*std::move(pending));
        break;
      }
      // A full queue refuses only the first sample; a request that has begun waits for its own samples
      // instead.
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

/// Adds timings and batch size to a request's result, or returns the error.
template <class Batch>
Result<Batch> with_timings(Batch&& result, const Result<ManyTimings>& timings) {
  if (!timings) return Unexpected(timings.error());
  result.timings = timings->slowest;
  result.batch_size = timings->batch_size;
  return std::forward<Batch>(result);
}

}  // namespace infer::inline v0
