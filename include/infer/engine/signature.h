#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "infer/core/result.h"
#include "infer/engine/tensor.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// The least and the greatest value of an input, both included.
struct ValueRange {
  std::int64_t least = 0;
  std::int64_t greatest = 0;
};

/// Name, dtype and shape of one input or output, without the batch dimension; -1 is a dimension of any size.
struct TensorSpec {
  std::string name;
  DType dtype = DType::kFp32;
  Shape shape;
  bool any_rank = false;                 ///< Nothing is known of the shape: the model declares none.
  std::optional<ValueRange> range = {};  ///< Of an input of whole numbers, such as indices into a table.
  Shape max_shape = {};            ///< The greatest sizes, -1 for no bound; without dimensions: no bounds.
  std::string same_shape_as = {};  ///< Another input whose shape this one has, such as a mask's; or empty.
};

/// What a model takes and gives.
struct INFER_EXPORT ModelSignature {
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> outputs;

  /// Every input has a known, fixed shape.
  bool is_static() const noexcept;
};

/// One unit of work: a tensor for each input of the model, without batch dimension.
using Sample = std::vector<Tensor>;

/// Checks a sample against the inputs, their ranges included. Errors: `kInvalidArgument`, naming the input,
/// its value and what was expected.
INFER_EXPORT Result<void> check_sample(const ModelSignature& signature, std::span<const Tensor> sample);

}  // namespace infer::inline v0
