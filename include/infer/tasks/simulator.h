#pragma once

#include <cstdint>
#include <memory>

#include "infer/core/result.h"
#include "infer/engine/engine.h"
#include "infer/export.h"
#include "infer/tasks/request.h"

namespace infer::inline v0 {

/// Work for the simulator: milliseconds of CPU time, or rounds of a fixed computation.
struct SimulatedWork {
  double milliseconds = 0;
  std::uint64_t units = 0;
};

struct SimulatedAnswer {
  std::uint64_t units = 0;  ///< Rounds that were computed.
  Timings timings;
  std::size_t batch_size = 0;
};

/// Burns CPU time on the engine's workers as a model would. Thread-safe.
class INFER_EXPORT Simulator {
 public:
  static constexpr double kMaxMilliseconds = 60'000;
  static constexpr std::uint64_t kMaxUnits = 10'000'000;

  /// Errors: `kInvalidArgument` unless the engine's model takes and gives FP64 "work" of one number pair.
  static Result<Simulator> create(std::shared_ptr<Engine> engine);
  /// Blocks until the work is done. Errors: `kInvalidArgument` (out of bounds), and those of
  /// `Engine::submit`.
  Result<SimulatedAnswer> run(const SimulatedWork& work, const RequestOptions& options = {},
                              Permit permit = {}) const;
  Engine& engine() const noexcept { return *engine_; }

 private:
  explicit Simulator(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}
  std::shared_ptr<Engine> engine_;
};

}  // namespace infer::inline v0
