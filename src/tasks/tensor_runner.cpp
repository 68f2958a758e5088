#include "infer/tasks/tensor_runner.h"

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include "engine/stack.h"
#include "infer/core/invalid.h"
#include "run_many.h"

namespace infer::inline v0 {
namespace {

/// Returns the number of rows, which must be the same for all inputs.
Result<std::size_t> count_rows(const ModelSignature& signature, std::span<const Tensor> inputs) {
  if (inputs.size() != signature.inputs.size()) {
    return invalid("inputs: " + std::to_string(inputs.size()) + " given, the model takes " +
                   std::to_string(signature.inputs.size()));
  }
  std::int64_t rows = -1;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const TensorSpec& spec = signature.inputs[i];
    const Shape& shape = inputs[i].shape();
    if (shape.rank() == 0)
      return invalid(spec.name + ": shape [] lacks the number of rows as first dimension");
    if (rows >= 0 && shape[0] != rows) {
      return invalid(spec.name + ": has " + std::to_string(shape[0]) + " rows, " + signature.inputs[0].name +
                     " has " + std::to_string(rows));
    }
    rows = shape[0];
  }
  return static_cast<std::size_t>(std::max<std::int64_t>(0, rows));
}

}  // namespace

Result<TensorRows> TensorRunner::run(std::span<const Tensor> inputs, const RequestOptions& options,
                                     Permit permit) const {
  const ModelSignature& signature = engine_->model().backend->signature();
  auto rows = count_rows(signature, inputs);
  if (!rows) return Unexpected(rows.error());
  return run(
      *rows,
      [&](std::size_t i) -> Result<Sample> {
        Sample sample;
        sample.reserve(inputs.size());
        for (const Tensor& input : inputs) sample.push_back(input.row(i));
        return sample;
      },
      options, std::move(permit));
}

Result<TensorRows> TensorRunner::run(std::size_t rows,
                                     const std::function<Result<Sample>(std::size_t)>& prepare,
                                     const RequestOptions& options, Permit permit) const {
  try {
    const ModelSignature& signature = engine_->model().backend->signature();
    if (rows == 0) {
      for (const TensorSpec& output : signature.outputs) {
        const auto dims = output.shape.dims();
        if (std::ranges::none_of(dims, [](std::int64_t dim) { return dim < 0; })) continue;
        return invalid("inputs: 0 rows do not determine the shape of output '" + output.name + "', " +
                       output.shape.text());
      }
    }
    TensorRows result;
    result.rows.reserve(rows);
    const auto timings = run_many(
        *engine_, "rows", rows, options, std::move(permit),
        [&](std::size_t i) -> Result<PreparedSample> {
          auto sample = prepare(i);
          if (!sample) return Unexpected(std::move(sample.error()));
          // For inputs of any length, such as texts, the length counts against the budget of a batch.
          const bool counts =
              !signature.is_static() && !sample->empty() && sample->front().shape().rank() > 0;
          const auto cost = counts ? static_cast<std::size_t>(sample->front().shape()[0]) : 1;
          return PreparedSample{*std::move(sample), cost};
        },
        [&](std::size_t, Response& response) -> Result<void> {
          result.rows.push_back(std::move(response.outputs));  // unchecked: a raw output may contain NaN
          return {};
        });
    return with_timings(std::move(result), timings);
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  }
}

Result<std::vector<Tensor>> TensorRows::stacked(const ModelSignature& signature) const {
  std::vector<Tensor> outputs;
  if (rows.empty()) {
    for (const TensorSpec& spec : signature.outputs) {
      auto empty = Tensor::allocate(spec.dtype, spec.shape.with_batch(0));
      if (!empty) return Unexpected(empty.error());
      outputs.push_back(*std::move(empty));
    }
    return outputs;
  }
  for (std::size_t output = 0; output < rows.front().size(); ++output) {
    const auto row = [&](std::size_t i) -> const Tensor& { return rows[i][output]; };
    for (std::size_t i = 1; i < rows.size(); ++i) {
      if (row(i).shape() == row(0).shape()) continue;
      return fail(ErrorCode::kModelError, "output " + std::to_string(output) + ": rows of shape " +
                                              row(0).shape().text() + " and " + row(i).shape().text() +
                                              " cannot be stacked");
    }
    auto stacked = stack(BufferPool(), rows.size(), row);
    if (!stacked) return Unexpected(stacked.error());
    outputs.push_back(*std::move(stacked));
  }
  return outputs;
}

}  // namespace infer::inline v0
