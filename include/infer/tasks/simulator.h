#pragma once

#include <cstdint>
#include <memory>

#include "infer/core/result.h"
#include "infer/engine/engine.h"
#include "infer/export.h"
#include "infer/tasks/request.h"

namespace infer::inline v0 {

/// Work for the simulator.
struct SimulatedWork {
  double milliseconds = 0;  ///< CPU time to burn, 0 to `Simulator::kMaxMilliseconds`.
  std::uint64_t units = 0;  ///< Rounds of a fixed computation, 0 to `Simulator::kMaxUnits`.
};

/// The outcome of simulated work.
struct SimulatedAnswer {
  std::uint64_t units = 0;     ///< Rounds that were computed.
  Timings timings;             ///< Where the time went.
  std::size_t batch_size = 0;  ///< Number of requests in the batch.
};

/// Burns CPU time on the engine's workers as a model would, to try out capacity and limits.
///
/// Thread-safe.
class INFER_EXPORT Simulator {
 public:
  /// Maximum CPU time of one request, in milliseconds.
  static constexpr double kMaxMilliseconds = 60'000;
  /// Maximum number of rounds of one request.
  static constexpr std::uint64_t kMaxUnits = 10'000'000;

  /// Uses an engine whose model takes and gives "work", an FP64 [2] tensor.
  ///
  /// Errors: `kInvalidArgument` (the model's signature does not fit).
  static Result<Simulator> create(std::shared_ptr<Engine> engine);
  /// Does the work; blocks until it is done.
  ///
  /// Errors: `kInvalidArgument` (out of bounds), and those of `Engine::submit`.
  Result<SimulatedAnswer> run(const SimulatedWork& work, const RequestOptions& options = {},
                              Permit permit = {}) const;
  /// Returns the engine, for its clock, statistics and drain; valid as long as the simulator.
  Engine& engine() const noexcept { return *engine_; }

 private:
  explicit Simulator(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}
  std::shared_ptr<Engine> engine_;
};

}  // namespace infer::inline v0
