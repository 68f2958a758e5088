#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "infer/core/batch_policy.h"
#include "infer/core/clock.h"
#include "infer/core/log.h"
#include "infer/core/metrics.h"
#include "infer/core/result.h"
#include "infer/core/thread_plan.h"
#include "infer/export.h"

/// \file
/// The options of an engine, and the settings from which they come.
///
/// To add a setting, add its option here or in `BatchOptions`, its member of `PartialSettings` and its row of
/// `kSettings`. The keys of infer.json and of tuned files, the flags and variables of `infer serve`, and
/// docs/settings.md come from the row.

namespace infer::inline v0 {

/// How far an engine warms up before it is ready.
enum class Warmup : std::uint8_t {
  kNone,  ///< No warm-up: the first requests are slow.
  /// Largest batch first, until two runs agree within 10 %; at most 3 runs per size and 1.5 s in all.
  kDefault,
  kFull,  ///< Every batch size, until its time has converged.
};

/// Reads "none", "default" or "full".
///
/// Errors: `kInvalidArgument`.
INFER_EXPORT Result<Warmup> parse_warmup(const std::string& name);

/// The configuration of an `Engine`; the defaults suit a CPU service.
///
/// `engine_options` makes it from a manifest, and docs/batching.md says how to tune it.
struct EngineOptions {
  BatchOptions batch{.allowed_batch_sizes = {1, 2, 4, 8}};  ///< Batch sizes and bounds of the queue.
  ThreadPlan threads;             ///< Workers, and threads inside each forward; see `plan_threads`.
  std::size_t max_inflight = 64;  ///< Maximum number of admitted requests without an answer.
  /// Maximum expected wait of a new request, by the measured rate; 0: no limit.
  ///
  /// The engine refuses longer waits with `kOverloaded`.
  std::chrono::milliseconds max_wait{2'000};
  Warmup warmup = Warmup::kDefault;  ///< How far to warm up.

  /// Sizes to which tasks pad dimensions of any size, ascending; the engine warms them up.
  std::vector<std::size_t> allowed_lengths;
  /// Niceness of the workers, so that threads that answer clients go first on a busy machine.
  int worker_nice = 5;
  std::chrono::milliseconds shutdown_timeout{5000};  ///< Maximum time that the destructor waits.

  /// Registry for the engine's metrics, shared with the host; null: a registry of the engine's own.
  std::shared_ptr<MetricsRegistry> metrics;
  std::shared_ptr<const Clock> clock;  ///< Source of time; null: the steady clock.
  std::string metrics_name;            ///< The label "model" of the metrics; empty: the model's name.
  LogHook log;                         ///< Receives events about failed batches; may be empty.
};

/// What one source (a caller, a tuned file, infer.json) says about how a model runs; empty members say
/// nothing.
struct PartialSettings {
  std::optional<std::size_t> workers;           ///< `ThreadPlan::workers`; 0 says nothing.
  std::optional<std::size_t> intra_op_threads;  ///< `ThreadPlan::intra_op_threads`; 0 says nothing.
  std::optional<std::size_t> max_batch_size;    ///< `BatchOptions::max_batch_size`.
  std::optional<std::vector<std::size_t>> allowed_batch_sizes;  ///< `BatchOptions::allowed_batch_sizes`.
  std::optional<std::vector<std::size_t>> allowed_lengths;      ///< `EngineOptions::allowed_lengths`.
  std::optional<std::chrono::microseconds> max_queue_delay;     ///< `BatchOptions::max_queue_delay`.
  std::optional<std::size_t> max_queue_size;                    ///< `BatchOptions::max_queue_size`.
  std::optional<std::size_t> max_batch_cost;                    ///< `BatchOptions::max_batch_cost`.
  std::optional<std::size_t> max_queue_bytes;                   ///< `BatchOptions::max_queue_bytes`.
  std::optional<std::size_t> max_inflight;                      ///< `EngineOptions::max_inflight`.
  /// `EngineOptions::max_wait`; 0 (no limit) suits work for which no client waits.
  std::optional<std::chrono::milliseconds> max_wait;
  std::optional<Warmup> warmup;  ///< `EngineOptions::warmup`.
};

/// Completes `first` with what only `second` says.
///
/// Workers and intra-op threads are chosen together: if `first` says one of them, the other one of `second`
/// is not used.
INFER_EXPORT PartialSettings merge(const PartialSettings& first, const PartialSettings& second);

/// The row of one setting in `kSettings`.
struct Setting {
  /// Where infer.json has the setting.
  enum class Place : std::uint8_t {
    kNone,   ///< Not in infer.json: the setting belongs to the program that opens the model.
    kTop,    ///< A key of its own.
    kBatch,  ///< A key of the object "batch".
  };
  /// Where a value of type `T` is kept.
  template <class T>
  struct Kept {
    std::optional<T> PartialSettings::*member;  ///< The value as a source gives it.
    /// The engine's option that the value sets; null for workers and threads, which `plan_threads` plans
    /// together.
    T& (*option)(EngineOptions& options);
  };
  /// Makes a `Kept`; the lambda for `option` need not name the type.
  template <class T>
  static constexpr Kept<T> keep(std::optional<T> PartialSettings::*member,
                                std::type_identity_t<T& (*)(EngineOptions&)> option) {
    return {member, option};
  }
  /// Where the value is kept, with its type.
  using Value = std::variant<Kept<std::size_t>, Kept<std::vector<std::size_t>>,
                             Kept<std::chrono::microseconds>, Kept<std::chrono::milliseconds>, Kept<Warmup>>;

  /// The key in infer.json and in tuned files, where times are in milliseconds: "max_queue_delay_ms".
  std::string_view name;
  Place place;    ///< Where infer.json has the key.
  bool is_tuned;  ///< Whether `infer tune` finds the value, so that tuned files have the key.
  /// The flag of `infer serve` without dashes, in the unit of `value`; empty: there is no flag.
  std::string_view flag;
  std::string_view placeholder;  ///< What help shows in place of the flag's value: "BYTES".
  Value value;                   ///< Where the value is kept.
  std::int64_t least;            ///< Smallest value, in the unit of `value`; of a list: of each number.
  std::int64_t greatest;         ///< Largest value, in the unit of `value`; of a list: of each number.
  std::string_view help;         ///< What the setting does: sentences for help texts and documentation.
};

/// All settings, in the order in which files and help texts list them.
inline constexpr auto kSettings = std::to_array<Setting>({
    {"workers", Setting::Place::kTop, true, "workers", "N", Setting::keep(&PartialSettings::workers, nullptr),
     0, 1024, "Number of batches that run at the same time. 0: as many as the usable cores allow."},
    {"intra_op_threads", Setting::Place::kTop, true, "intra-op-threads", "N",
     Setting::keep(&PartialSettings::intra_op_threads, nullptr), 0, 1024,
     "Number of threads inside each forward. 0: the usable cores divided by the workers."},
    {"max_batch_size", Setting::Place::kBatch, true, "max-batch-size", "N",
     Setting::keep(&PartialSettings::max_batch_size,
                   [](EngineOptions& o) -> auto& { return o.batch.max_batch_size; }),
     1, 4096, "Maximum number of samples in one forward."},
    {"allowed_batch_sizes", Setting::Place::kBatch, false, "", "N,…",
     Setting::keep(&PartialSettings::allowed_batch_sizes,
                   [](EngineOptions& o) -> auto& { return o.batch.allowed_batch_sizes; }),
     1, 4096,
     "Batch sizes to which the engine rounds down, ascending from 1, so that LibTorch sees few shapes. An "
     "empty list allows every size."},
    {"allowed_lengths", Setting::Place::kBatch, false, "", "N,…",
     Setting::keep(&PartialSettings::allowed_lengths,
                   [](EngineOptions& o) -> auto& { return o.allowed_lengths; }),
     1, std::int64_t{1} << 40,
     "Lengths to which inputs of any length are padded, ascending. With an empty list, inputs are not "
     "padded."},
    {"max_queue_delay_ms", Setting::Place::kBatch, true, "max-queue-delay-us", "US",
     Setting::keep(&PartialSettings::max_queue_delay,
                   [](EngineOptions& o) -> auto& { return o.batch.max_queue_delay; }),
     0, 60'000'000,
     "How long the oldest queued sample waits for more samples to join its batch, in microseconds "
     "(milliseconds in infer.json)."},
    {"max_queue_size", Setting::Place::kBatch, false, "max-queue-size", "N",
     Setting::keep(&PartialSettings::max_queue_size,
                   [](EngineOptions& o) -> auto& { return o.batch.max_queue_size; }),
     1, std::int64_t{1} << 20,
     "Maximum number of queued samples. Requests that find the queue full get 429."},
    {"max_batch_cost", Setting::Place::kBatch, false, "", "N",
     Setting::keep(&PartialSettings::max_batch_cost,
                   [](EngineOptions& o) -> auto& { return o.batch.max_batch_cost; }),
     0, std::int64_t{1} << 40,
     "Maximum sum of the costs of the samples in one forward. A text costs its number of tokens. 0: no "
     "limit."},
    {"max_queue_bytes", Setting::Place::kNone, false, "max-queue-bytes", "BYTES",
     Setting::keep(&PartialSettings::max_queue_bytes,
                   [](EngineOptions& o) -> auto& { return o.batch.max_queue_bytes; }),
     1, std::int64_t{1} << 40, "Maximum size of all queued samples of a model, in bytes."},
    {"max_inflight", Setting::Place::kNone, false, "max-inflight", "N",
     Setting::keep(&PartialSettings::max_inflight, [](EngineOptions& o) -> auto& { return o.max_inflight; }),
     1, 1'000'000,
     "Maximum number of requests of a model that are admitted and not yet answered. Further requests get "
     "429."},
    {"max_wait_ms", Setting::Place::kNone, false, "max-wait-ms", "MS",
     Setting::keep(&PartialSettings::max_wait, [](EngineOptions& o) -> auto& { return o.max_wait; }), 0,
     3'600'000,
     "Maximum expected wait for a worker, by the measured rate, in milliseconds. Requests that would wait "
     "longer get 429. 0: no limit."},
    {"warmup", Setting::Place::kTop, false, "warmup", "HOW",
     Setting::keep(&PartialSettings::warmup, [](EngineOptions& o) -> auto& { return o.warmup; }), 0, 0,
     "How a model is warmed up before it is ready: none, default (at most 1.5 s), or full (every batch size, "
     "until its time has converged)."},
});

/// Reads a value as flags and variables have it: a number in the unit of `Setting::value`, numbers separated
/// by commas, or a word.
///
/// Errors: `kInvalidArgument`, naming `name` (how the source calls the setting), the value and its limits.
INFER_EXPORT Result<void> set_setting(const Setting& setting, PartialSettings& settings,
                                      const std::string& name, const std::string& text);
/// Returns a value as `set_setting` reads it; empty if `settings` does not say it.
INFER_EXPORT std::string setting_text(const Setting& setting, const PartialSettings& settings);
/// Returns whether `settings` says the setting.
INFER_EXPORT bool has_setting(const Setting& setting, const PartialSettings& settings);
/// Returns the values that the flag of a setting takes, such as "1 to 4096".
INFER_EXPORT std::string setting_values(const Setting& setting);

/// Reads a whole number from `least` to `greatest`.
///
/// Errors: `kInvalidArgument`, naming `name`, the text and the limits.
INFER_EXPORT Result<std::int64_t> parse_whole_number(const std::string& name, const std::string& text,
                                                     std::int64_t least, std::int64_t greatest);

}  // namespace infer::inline v0
