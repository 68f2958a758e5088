#include "infer/tasks/ranking.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "rows.h"

namespace infer::inline v0 {

Result<Ranker> Ranker::create(std::shared_ptr<Engine> engine) {
  const ModelSignature& signature = engine->model().backend->signature();
  const auto is_number = [](const std::vector<TensorSpec>& specs) {
    return specs.size() == 1 && specs[0].dtype == DType::kFp32 && specs[0].shape == Shape{1};
  };
  if (!is_number(signature.inputs) || !is_number(signature.outputs))
    return fail(ErrorCode::kInvalidArgument,
                engine->model().name + ": a model for ranking must take and return FP32 [1]");
  return Ranker(std::move(engine));
}

Result<std::vector<std::size_t>> Ranker::rank(std::span<const float> values, const RequestOptions& options,
                                              Permit permit) const {
  std::vector<float> scores;
  for (const float value : values) {
    auto input = Tensor::allocate(DType::kFp32, Shape{1});
    if (!input) return Unexpected(input.error());
    input->as<float>()[0] = value;
    Sample sample;
    sample.push_back(*std::move(input));
    auto response =
        engine_->infer(std::move(sample), {options.deadline, options.stop, {}}, std::move(permit));
    if (!response) return Unexpected(response.error());
    scores.push_back(response->outputs[0].as<float>()[0]);
  }
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  return order;
}

namespace {

class RankerModel final : public TaskModel {
 public:
  RankerModel(std::shared_ptr<Engine> engine, Ranker ranker)
      : TaskModel(std::move(engine), TaskInput::kTensors), ranker_(std::move(ranker)) {}

 protected:
  const void* find(const std::type_info& type) const noexcept override {
    return type == typeid(Ranker) ? &ranker_ : nullptr;
  }

 private:
  const Ranker ranker_;
};

}  // namespace

TaskRow ranking_task() noexcept {
  return {"ranking", TaskInput::kTensors,
          [](std::shared_ptr<Engine> engine, const TaskOptions&) -> Result<std::unique_ptr<TaskModel>> {
            auto ranker = Ranker::create(engine);
            if (!ranker) return Unexpected(ranker.error());
            return std::make_unique<RankerModel>(std::move(engine), *std::move(ranker));
          },
          same_signature};
}

}  // namespace infer::inline v0
