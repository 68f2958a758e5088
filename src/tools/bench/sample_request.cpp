#include "infer/tools/sample_request.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <span>
#include <system_error>
#include <utility>

#include "infer/tasks/task.h"

namespace infer::inline v0::tools {
namespace {

template <class T>
Result<void> only_error(const Result<T>& result) {
  return result ? Result<void>{} : Result<void>(Unexpected(result.error()));
}

}  // namespace

Result<std::string> read_sample(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    return fail(ErrorCode::kNotFound,
                "--sample: " + file + ": cannot be read: " + std::generic_category().message(errno));
  }
  std::string content{std::istreambuf_iterator<char>(in), {}};
  if (!in || content.empty()) return fail(ErrorCode::kNotFound, "--sample: " + file + ": cannot be read");
  return content;
}

Result<std::vector<Tensor>> ramp_inputs(const ModelSignature& signature, std::size_t batch,
                                        std::size_t length) {
  std::vector<Tensor> inputs;
  for (const TensorSpec& spec : signature.inputs) {
    std::vector<std::int64_t> dims(spec.shape.dims().begin(), spec.shape.dims().end());
    if (spec.any_rank) dims = {-1};
    std::ranges::replace(dims, std::int64_t{-1}, static_cast<std::int64_t>(length));
    auto tensor = Tensor::allocate(spec.dtype, Shape(dims).with_batch(static_cast<std::int64_t>(batch)));
    if (!tensor) return Unexpected(tensor.error());
    std::fill_n(tensor->data(), tensor->bytes(), std::byte{0});
    // A mask of zeros would leave nothing to compute.
    if (spec.dtype == DType::kInt64) std::ranges::fill(tensor->as<std::int64_t>(), 1);
    if (spec.dtype == DType::kFp32) {
      auto values = tensor->as<float>();
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 255) / 255.0F - 0.5F;
    }
    inputs.push_back(*std::move(tensor));
  }
  return inputs;
}

Result<SampleRequest> sample_request(std::shared_ptr<Engine> engine, const std::string& sample) {
  if (sample.empty()) {
    const ModelSignature& signature = engine->model().backend->signature();
    if (!signature.is_static()) {
      return fail(
          ErrorCode::kFailedPrecondition,
          engine->model().name +
              ": the inputs have no fixed shapes; use --sample to give an input such as clients send");
    }
    return SampleRequest([engine, &signature]() -> Result<void> {
      auto batch = ramp_inputs(signature, 1);
      if (!batch) return Unexpected(batch.error());
      Sample tensors;
      for (std::size_t i = 0; i < batch->size(); ++i) {
        tensors.push_back((*batch)[i].reshaped(signature.inputs[i].shape));
      }
      return only_error(engine->infer(std::move(tensors)));
    });
  }
  const Model& loaded = engine->model();
  const auto task = find_task(loaded.manifest, loaded.name);
  if (!task) return Unexpected(task.error());
  if ((*task)->input != TaskInput::kImage && (*task)->input != TaskInput::kText) {
    return fail(
        ErrorCode::kUnimplemented,
        "--sample: is only for models of images or texts, but the model's task is " + loaded.manifest.task);
  }
  auto made = make_task(std::move(engine));
  if (!made) return Unexpected(made.error());
  const std::shared_ptr<TaskModel> model = *std::move(made);
  return SampleRequest([model, sample] { return only_error(model->answer(sample)); });
}

}  // namespace infer::inline v0::tools
