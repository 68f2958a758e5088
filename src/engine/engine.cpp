#include "infer/engine/engine.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <latch>
#include <utility>

#include "batch_runner.h"
#include "busy_ratio.h"
#include "infer/core/batch_scheduler.h"
#include "task.h"

namespace infer::inline v0 {
namespace {

constexpr std::chrono::seconds kStuckAfter{30};
constexpr int kStuckFactor = 20;

}  // namespace

EngineMetrics::EngineMetrics(MetricsRegistry& registry, const std::string& model)
    : queue_depth(registry.gauge("infer_queue_depth", "Number of samples that wait for a worker.",
                                 {{"model", model}})),
      queue_bytes(registry.gauge("infer_queue_bytes", "Size of the samples that wait for a worker, in bytes.",
                                 {{"model", model}})),
      inflight(registry.gauge("infer_inflight",
                              "Number of requests that were admitted and are not answered yet.",
                              {{"model", model}})),
      buffer_bytes(registry.gauge(
          "infer_buffer_bytes",
          "Memory of released buffers that the model keeps for later samples and batches, in bytes.",
          {{"model", model}})),
      busy_workers(registry.gauge("infer_busy_workers", "Number of workers that are computing a batch.",
                                  {{"model", model}})),
      busy_ratio(registry.gauge("infer_busy_ratio",
                                "Share of the workers' time that was spent computing, from 0 to 1, over the "
                                "last 5 seconds or more.",
                                {{"model", model}})),
      batch_size(registry.histogram("infer_batch_size", "Number of samples in each batch.",
                                    {1, 2, 4, 8, 16, 32, 64}, {{"model", model}})),
      prepare_seconds(registry.histogram("infer_prepare_seconds",
                                         "Time to decode and preprocess the input of a sample, in seconds.",
                                         latency_edges(), {{"model", model}})),
      queue_seconds(registry.histogram("infer_queue_seconds",
                                       "Time that a sample waited for a worker, in seconds.", latency_edges(),
                                       {{"model", model}})),
      compute_seconds(registry.histogram("infer_compute_seconds", "Time to compute a batch, in seconds.",
                                         latency_edges(), {{"model", model}})),
      request_seconds(registry.histogram("infer_request_seconds",
                                         "Time from the submission of a sample to its result, in seconds.",
                                         latency_edges(), {{"model", model}})) {
  const auto counter = [&](std::string_view code) {
    return &registry.counter("infer_requests_total", "Number of submitted samples, by model and result code.",
                             {{"model", model}, {"code", std::string(code)}});
  };
  requests_[kOk] = counter("OK");
  for (std::size_t code = 0; code + 1 < requests_.size(); ++code) {
    requests_[code + 1] = counter(to_string(static_cast<ErrorCode>(code)));
  }
}

struct Engine::Impl {
  Impl(Model loaded, EngineOptions given)
      : model(std::move(loaded)),
        options(std::move(given)),
        metrics(std::make_shared<EngineMetrics>(
            *options.metrics, options.metrics_name.empty() ? model.name : options.metrics_name)),
        inflight(std::make_shared<InflightCounter>()),
        buffers(options.clock),
        runner(std::make_shared<BatchRunner>(model, options, options.clock, metrics, buffers)) {}

  /// The gauges of a destroyed engine must not stay at old values; a successor of the same name sets its own
  /// before each rendering.
  ~Impl() {
    for (Gauge* gauge : {&metrics->queue_depth, &metrics->queue_bytes, &metrics->inflight,
                         &metrics->buffer_bytes, &metrics->busy_workers, &metrics->busy_ratio})
      gauge->set(0);
  }

  const Model model;
  const EngineOptions options;
  const std::shared_ptr<EngineMetrics> metrics;
  const std::shared_ptr<InflightCounter> inflight;
  const BufferPool buffers;
  const std::shared_ptr<BatchRunner> runner;
  std::unique_ptr<BatchScheduler<Task>> scheduler;
  std::atomic<bool> draining{false};
  BusyRatio busy_ratio;
};

Engine::Engine(std::shared_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

Result<Engine> Engine::create(Model model, EngineOptions options) {
  if (!model.backend) return fail(ErrorCode::kInvalidArgument, "model: has no backend");
  if (options.max_inflight == 0)
    return fail(ErrorCode::kInvalidArgument, "max_inflight: 0 is below the minimum of 1");
  try {
    if (!options.metrics) options.metrics = std::make_shared<MetricsRegistry>();
    if (!options.clock) options.clock = std::make_shared<SteadyClock>();
    auto impl = std::make_shared<Impl>(std::move(model), std::move(options));
    auto warm = std::make_shared<std::latch>(static_cast<std::ptrdiff_t>(impl->options.threads.workers));
    BatchScheduler<Task>::Options scheduling;
    scheduling.batch = impl->options.batch;
    scheduling.workers = impl->options.threads.workers;
    scheduling.max_wait = impl->options.max_wait;
    scheduling.shutdown_timeout = impl->options.shutdown_timeout;
    scheduling.on_worker_start = [runner = impl->runner, warm](std::size_t) {
      runner->start_worker();
      warm->count_down();
    };
    auto scheduler = BatchScheduler<Task>::create(
        std::move(scheduling),
        [runner = impl->runner](std::size_t, std::span<const Task> batch) { runner->run(batch); },
        impl->options.clock);
    if (!scheduler) return Unexpected(scheduler.error());
    impl->scheduler = *std::move(scheduler);
    warm->wait();
    const auto report = impl->runner->warmup();
    if (!report.outcome) return Unexpected(report.outcome.error());
    impl->busy_ratio.update(impl->options.clock->now(), {}, impl->options.threads.workers);
    impl->options.metrics->on_collect(impl, [self = impl.get()] {
      const SchedulerStats stats = self->scheduler->stats();
      self->metrics->queue_depth.set(static_cast<double>(stats.queue_size));
      self->metrics->queue_bytes.set(static_cast<double>(stats.queue_bytes));
      self->metrics->buffer_bytes.set(static_cast<double>(self->buffers.kept_bytes()));
      self->metrics->busy_workers.set(static_cast<double>(stats.busy_workers));
      self->metrics->busy_ratio.set(self->busy_ratio.update(self->options.clock->now(), stats.busy_time,
                                                            self->options.threads.workers));
      self->metrics->inflight.set(static_cast<double>(self->inflight->count.load()));
    });
    return Engine(std::move(impl));
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  }
}

Result<Permit> Engine::try_admit() {
  if (impl_->draining.load()) return fail(ErrorCode::kUnavailable, "draining");
  auto permit = Permit::acquire(impl_->inflight, impl_->options.max_inflight);
  if (permit) {
    if (auto in_time = impl_->scheduler->begins_in_time(); !in_time) permit = Unexpected(in_time.error());
  }
  if (!permit) impl_->metrics->count(permit.error().code);
  return permit;
}

Result<Pending> Engine::submit(Sample&& sample, SubmitOptions options, Permit permit) noexcept {
  const auto refuse = [&](Error error) -> Unexpected {
    impl_->metrics->count(error.code);
    return Unexpected(std::move(error));
  };
  try {
    const ModelSignature& signature = impl_->model.backend->signature();
    if (auto valid = check_sample(signature, sample); !valid) return refuse(std::move(valid.error()));
    if (!permit) {
      auto own = try_admit();
      if (!own) return Unexpected(own.error());  // counted by try_admit
      permit = *std::move(own);
    }
    auto pending = std::make_shared<PendingState>(std::move(options.callback));
    Task task(std::move(sample), pending, options, std::move(permit), impl_->options.clock->now(),
              impl_->metrics);
    const bool run_here = options.waits && impl_->model.backend->is_instant();
    if (auto accepted = impl_->scheduler->enqueue(std::move(task), run_here); !accepted) {
      sample = std::move(task.sample);  // NOLINT(bugprone-use-after-move): a refused task is still ours
      task.disarm();
      return refuse(std::move(accepted.error()));
    }
    return Pending(std::move(pending));
  } catch (...) {
    return refuse(out_of_memory());
  }
}

Result<Response> Engine::infer(Sample sample, SubmitOptions options, Permit permit) {
  options.callback = nullptr;
  options.waits = true;
  auto pending = submit(std::move(sample), std::move(options), std::move(permit));
  if (!pending) return Unexpected(pending.error());
  return pending->get();
}

bool Engine::ready() const noexcept { return !impl_->draining.load(); }

bool Engine::live() const {
  const SchedulerStats stats = impl_->scheduler->stats();
  if (stats.oldest_batch_start == kNever) return true;
  const Duration limit = std::max<Duration>(kStuckAfter, kStuckFactor * impl_->runner->warmup().slowest);
  return impl_->options.clock->now() - stats.oldest_batch_start <= limit;
}

EngineStats Engine::stats() const {
  EngineStats stats;
  stats.scheduler = impl_->scheduler->stats();
  stats.inflight = impl_->inflight->count.load();
  const auto warmup = impl_->runner->warmup();
  stats.warmup_runs = warmup.runs;
  stats.warmup_time = warmup.time;
  stats.slowest_warm_run = warmup.slowest;
  stats.batch_reruns = impl_->runner->reruns();
  return stats;
}

std::vector<BatchTimes> Engine::batch_times() const { return impl_->runner->batch_times(); }

int Engine::retry_after_seconds() const {
  const SchedulerStats stats = impl_->scheduler->stats();
  if (stats.drain_rate <= 0) return 1;
  const auto waiting = static_cast<double>(std::max(stats.queue_size, impl_->inflight->count.load()));
  return static_cast<int>(std::clamp(std::ceil(waiting / stats.drain_rate), 1.0, 30.0));
}

DrainReport Engine::drain(std::chrono::milliseconds timeout) {
  impl_->draining.store(true);
  return impl_->scheduler->drain(impl_->options.clock->now() + timeout);
}

const Model& Engine::model() const noexcept { return impl_->model; }
const EngineOptions& Engine::options() const noexcept { return impl_->options; }
const Clock& Engine::clock() const noexcept { return *impl_->options.clock; }
MetricsRegistry& Engine::metrics() const noexcept { return *impl_->options.metrics; }
const BufferPool& Engine::buffers() const noexcept { return impl_->buffers; }
Histogram& Engine::prepare_seconds() const noexcept { return impl_->metrics->prepare_seconds; }

}  // namespace infer::inline v0
