#include "infer/tasks/simulator.h"

#include <string>
#include <utility>

#include "../engine/number_text.h"
#include "rows.h"

namespace infer::inline v0 {

Result<Simulator> Simulator::create(std::shared_ptr<Engine> engine) {
  const ModelSignature& signature = engine->model().backend->signature();
  const auto is_pair = [](const std::vector<TensorSpec>& specs) {
    return specs.size() == 1 && specs[0].dtype == DType::kFp64 && specs[0].shape == Shape{2};
  };
  if (!is_pair(signature.inputs) || !is_pair(signature.outputs)) {
    return fail(ErrorCode::kInvalidArgument,
                engine->model().name + ": a simulator must take and return FP64 [2]: milliseconds and units");
  }
  return Simulator(std::move(engine));
}

Result<SimulatedAnswer> Simulator::run(const SimulatedWork& work, const RequestOptions& options,
                                       Permit permit) const {
  if (!(work.milliseconds >= 0) || work.milliseconds > kMaxMilliseconds)
    return fail(ErrorCode::kInvalidArgument,
                "work_ms: " + number_text(work.milliseconds) + " is outside 0 to 60000");
  if (work.units > kMaxUnits)
    return fail(ErrorCode::kInvalidArgument,
                "work_units: " + std::to_string(work.units) + " exceeds 10000000");
  auto input = Tensor::allocate(DType::kFp64, Shape{2});
  if (!input) return Unexpected(input.error());
  input->as<double>()[0] = work.milliseconds;
  input->as<double>()[1] = static_cast<double>(work.units);
  Sample sample;
  sample.push_back(*std::move(input));
  auto response = engine_->infer(std::move(sample), {options.deadline, options.stop, {}}, std::move(permit));
  if (!response) return Unexpected(response.error());
  const double units = response->outputs[0].as<double>()[1];
  if (!(units >= 0 && units < 0x1p63)) {
    return fail(ErrorCode::kModelError, "model '" + engine_->model().name + "', output '" +
                                            engine_->model().backend->signature().outputs[0].name +
                                            "': " + std::to_string(units) + " is not a number of units");
  }
  SimulatedAnswer answer;
  answer.units = static_cast<std::uint64_t>(units);
  answer.timings = response->timings;
  answer.batch_size = response->batch_size;
  return answer;
}

namespace {

class SimulatorModel final : public TaskModel {
 public:
  SimulatorModel(std::shared_ptr<Engine> engine, Simulator simulator)
      : TaskModel(std::move(engine), TaskInput::kTensors), simulator_(std::move(simulator)) {}

 protected:
  const void* find(const std::type_info& type) const noexcept override {
    return type == typeid(Simulator) ? &simulator_ : nullptr;
  }

 private:
  const Simulator simulator_;
};

}  // namespace

TaskRow simulate_task() noexcept {
  return {"simulate", TaskInput::kTensors,
          [](std::shared_ptr<Engine> engine, const TaskOptions&) -> Result<std::unique_ptr<TaskModel>> {
            auto simulator = Simulator::create(engine);
            if (!simulator) return Unexpected(simulator.error());
            return std::make_unique<SimulatorModel>(std::move(engine), *std::move(simulator));
          },
          same_signature};
}

}  // namespace infer::inline v0
