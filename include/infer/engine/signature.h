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

/// The least and the greatest value of an input, both allowed.
struct ValueRange {
  std::int64_t least = 0;     ///< Smallest allowed value.
  std::int64_t greatest = 0;  ///< Largest allowed value.
};

/// Name, dtype and shape of one input or output, without batch dimension.
struct TensorSpec {
  std::string name;            ///< Name in infer.json and in the Open Inference Protocol.
  DType dtype = DType::kFp32;  ///< Type of the elements.
  Shape shape;                 ///< Sizes of the dimensions; -1 is any size.
  bool any_rank = false;       ///< True if the model declares no shape, so that nothing is checked.
  /// Allowed values of an integer input, such as indices into a table; empty: all values.
  std::optional<ValueRange> range = {};
  Shape max_shape = {};  ///< Largest sizes, -1 for no bound; empty: no bounds.
  /// Another input that has the same shape, such as that of a mask; empty: none.
  std::string same_shape_as = {};
};

/// The inputs and outputs of a model.
struct INFER_EXPORT ModelSignature {
  std::vector<TensorSpec> inputs;   ///< One entry for each tensor of a `Sample`, in order.
  std::vector<TensorSpec> outputs;  ///< One entry for each tensor of a `Response`, in order.

  /// Returns true if every input has a known, fixed shape.
  bool is_static() const noexcept;
};

/// One unit of work: a tensor for each input of the model, without batch dimension.
using Sample = std::vector<Tensor>;

/// Checks the tensors of a sample against the signature: number, dtypes, shapes and value ranges.
///
/// Errors: `kInvalidArgument`, naming the input, its value and what was expected.
INFER_EXPORT Result<void> check_sample(const ModelSignature& signature, std::span<const Tensor> sample);

}  // namespace infer::inline v0
