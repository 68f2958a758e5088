#include "batch_runner.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <string>

#include "stack.h"

namespace infer::inline v0 {
namespace {

constexpr std::chrono::milliseconds kWarmupBudget{1500};
constexpr std::chrono::seconds kRerunInterval{1};

/// Returns the result of `call`, which runs code of the model, with exceptions turned into errors.
template <class Call>
auto guarded(Call call) noexcept -> decltype(call()) {
  try {
    try {
      return call();
    } catch (const std::bad_alloc&) {
      return Unexpected(out_of_memory());
    } catch (const std::exception& e) {
      return fail(ErrorCode::kModelError, e.what());
    } catch (...) {
      return fail(ErrorCode::kModelError, "the model threw a value that is not an exception");
    }
  } catch (...) {  // no memory for the message
    return Unexpected(out_of_memory());
  }
}

/// Stacks the samples' tensors for each input along a new first dimension.
Result<std::vector<Tensor>> collate(const BufferPool& buffers, std::span<const Task* const> batch) {
  std::vector<Tensor> inputs;
  const std::size_t count = batch.front()->sample.size();
  inputs.reserve(count);
  for (std::size_t input = 0; input < count; ++input) {
    auto stacked =
        stack(buffers, batch.size(), [&](std::size_t i) -> const Tensor& { return batch[i]->sample[input]; });
    if (!stacked) return Unexpected(stacked.error());
    inputs.push_back(*std::move(stacked));
  }
  return inputs;
}

/// Orders tasks so that the samples of a request are neighbours, since their rows then often need no copy,
/// neither into the batch nor out of it. This does not affect fairness: the queue has already chosen the
/// samples of the batch.
std::vector<const Task*> group_requests(std::span<const Task> batch) {
  std::vector<const Task*> grouped;
  grouped.reserve(batch.size());
  for (const Task& task : batch) grouped.push_back(&task);
  for (auto next = grouped.begin() + 1; next < grouped.end(); ++next) {
    const auto same =
        std::find_if(next, grouped.end(), [&](const Task* task) { return task->lane() == next[-1]->lane(); });
    if (same != grouped.end()) std::rotate(next, same, same + 1);
  }
  return grouped;
}

}  // namespace

void BatchRunner::start_worker() noexcept {
  // On Linux the niceness set through a thread's id affects only that thread. A refusal is not an error:
  // probes then compete with workers on equal terms.
  if (options_.worker_nice > 0) {
    (void)setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), options_.worker_nice);
  }
  auto outcome = guarded([&]() -> Result<void> {
    model_.backend->bind_worker_thread();
    return warm_up();
  });
  if (!outcome) {
    std::unique_lock lock(warmup_mutex_);
    warmup_.outcome = std::move(outcome);
  }
}

Result<void> BatchRunner::warm_up() {
  const bool of_any_size = !model_.backend->signature().is_static();
  if (options_.warmup == Warmup::kNone || (of_any_size && options_.allowed_lengths.empty())) return {};
  const bool full = options_.warmup == Warmup::kFull;
  const int max_runs = full ? 10 : 3;
  const TimePoint start = std::chrono::steady_clock::now();
  for (const WarmupShape& shape : warmup_shapes(of_any_size)) {
    Duration previous{};
    for (int run = 0; run < max_runs; ++run) {
      if (!full && std::chrono::steady_clock::now() - start > kWarmupBudget) return {};
      const auto time = warm_run(shape);
      if (!time) return Unexpected(time.error());
      const Duration difference = *time > previous ? *time - previous : previous - *time;
      if (run > 0 && difference * 10 <= previous) break;
      previous = *time;
    }
  }
  return {};
}

std::vector<BatchRunner::WarmupShape> BatchRunner::warmup_shapes(bool of_any_size) const {
  const BatchOptions& batch = options_.batch;
  std::vector<std::size_t> sizes = batch.allowed_batch_sizes;
  if (sizes.empty()) sizes = {1, batch.max_batch_size};
  std::reverse(sizes.begin(),
               sizes.end());  // the largest first, since smaller batches reuse its memory
  std::vector<WarmupShape> shapes;
  for (const std::size_t length : of_any_size ? options_.allowed_lengths : std::vector<std::size_t>{1}) {
    for (const std::size_t size : sizes) {
      const bool fits = batch.max_batch_cost == 0 || size * length <= batch.max_batch_cost || size == 1;
      if (fits) shapes.push_back({size, length});
    }
  }
  return shapes;
}

Result<Duration> BatchRunner::warm_run(const WarmupShape& shape) {
  const std::size_t batch_size = shape.batch_size;
  std::vector<Tensor> inputs;
  for (const TensorSpec& spec : model_.backend->signature().inputs) {
    std::vector<std::int64_t> dims(spec.shape.dims().begin(), spec.shape.dims().end());
    std::replace(dims.begin(), dims.end(), std::int64_t{-1}, static_cast<std::int64_t>(shape.length));
    auto tensor = buffers_.tensor(spec.dtype, Shape(dims).with_batch(static_cast<std::int64_t>(batch_size)));
    if (!tensor) return Unexpected(tensor.error());
    std::memset(tensor->data(), 0, tensor->bytes());
    // Ids and masks are ones, since a mask of zeros would leave nothing to compute.
    if (spec.dtype == DType::kInt64) std::ranges::fill(tensor->as<std::int64_t>(), 1);
    inputs.push_back(*std::move(tensor));
  }
  const TimePoint start = std::chrono::steady_clock::now();
  auto outputs = guarded_forward(inputs, batch_size);
  const Duration time = std::chrono::steady_clock::now() - start;
  if (!outputs) {
    return fail(outputs.error().code,
                "warm-up with a batch of " + std::to_string(batch_size) + ": " + outputs.error().message);
  }
  std::unique_lock lock(warmup_mutex_);
  ++warmup_.runs;
  warmup_.time += time;
  warmup_.slowest = std::max(warmup_.slowest, time);
  return time;
}

BatchRunner::WarmupReport BatchRunner::warmup() const {
  std::unique_lock lock(warmup_mutex_);
  return warmup_;
}

Result<std::vector<Tensor>> BatchRunner::guarded_forward(std::span<const Tensor> inputs,
                                                         std::size_t batch_size) const {
  return guarded([&]() -> Result<std::vector<Tensor>> {
    auto outputs = model_.backend->forward(inputs);
    if (!outputs) return outputs;
    const auto& specs = model_.backend->signature().outputs;
    if (!specs.empty() && outputs->size() != specs.size()) {
      return fail(ErrorCode::kModelError, "the model returned " + std::to_string(outputs->size()) +
                                              " outputs, its signature says " + std::to_string(specs.size()));
    }
    for (const Tensor& output : *outputs) {
      if (output.shape().rank() == 0 || output.shape()[0] != static_cast<std::int64_t>(batch_size)) {
        return fail(ErrorCode::kModelError, "the model returned the shape " + output.shape().text() +
                                                " for a batch of " + std::to_string(batch_size));
      }
    }
    return outputs;
  });
}

Result<std::vector<Tensor>> BatchRunner::forward(Batch batch, Stages& stages) const {
  auto inputs = collate(buffers_, batch);
  stages.collated = stages.computed = clock_->now();
  if (!inputs) return Unexpected(inputs.error());
  auto outputs = guarded_forward(*inputs, batch.size());
  stages.computed = clock_->now();
  return outputs;
}

void BatchRunner::run(std::span<const Task> tasks) {
  Stages stages{clock_->now(), {}, {}};
  metrics_->batch_size.observe(static_cast<double>(tasks.size()));
  for (const Task& task : tasks) {
    metrics_->queue_seconds.observe(std::chrono::duration<double>(stages.start - task.submitted_at).count());
  }
  const std::vector<const Task*> grouped = group_requests(tasks);
  const Batch batch(grouped);
  auto outputs = forward(batch, stages);
  if (!outputs && options_.log) options_.log(LogLevel::kWarning, "batch_failed", outputs.error().message);
  if (!outputs && batch.size() > 1 && may_rerun()) {
    reruns_.fetch_add(1, std::memory_order_relaxed);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      Stages own{clock_->now(), {}, {}};
      auto single = forward(batch.subspan(i, 1), own);
      complete(batch.subspan(i, 1), std::move(single), own);
    }
    return;
  }
  complete(batch, std::move(outputs), stages);
}

void BatchRunner::complete(Batch batch, Result<std::vector<Tensor>>&& outputs, const Stages& stages) {
  const TimePoint now = clock_->now();
  metrics_->compute_seconds.observe(std::chrono::duration<double>(now - stages.start).count());
  if (outputs && batch.size() < batch_times_.size()) {
    AtomicTimes& times = batch_times_[batch.size()];
    times.count.fetch_add(1, std::memory_order_relaxed);
    times.collate.fetch_add((stages.collated - stages.start).count(), std::memory_order_relaxed);
    times.forward.fetch_add((stages.computed - stages.collated).count(), std::memory_order_relaxed);
    times.split.fetch_add((now - stages.computed).count(), std::memory_order_relaxed);
  }
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Task& task = *batch[i];
    if (!outputs) {
      task.complete(Unexpected(outputs.error()), now);
      continue;
    }
    Response response;
    response.batch_size = batch.size();
    response.timings = {stages.start - task.submitted_at, now - stages.start, stages.collated - stages.start,
                        stages.computed - stages.collated};
    response.outputs.reserve(outputs->size());
    for (const Tensor& output : *outputs) response.outputs.push_back(output.row(i));
    task.complete(std::move(response), now);
  }
}

std::vector<BatchTimes> BatchRunner::batch_times() const {
  std::vector<BatchTimes> out;
  for (std::size_t size = 0; size < batch_times_.size(); ++size) {
    const AtomicTimes& times = batch_times_[size];
    if (times.count.load() == 0) continue;
    out.push_back({size, times.count.load(), Duration(times.collate.load()), Duration(times.forward.load()),
                   Duration(times.split.load())});
  }
  return out;
}

bool BatchRunner::may_rerun() {
  const Duration::rep now = clock_->now().time_since_epoch().count();
  Duration::rep last = last_rerun_.load();
  const Duration::rep interval = std::chrono::duration_cast<Duration>(kRerunInterval).count();
  if (last != Duration::min().count() && now - last < interval) return false;
  return last_rerun_.compare_exchange_strong(last, now);
}

}  // namespace infer::inline v0
