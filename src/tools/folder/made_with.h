#pragma once

#include <cstddef>
#include <string>

#include "infer/engine/model.h"

namespace infer::inline v0::tools {

/// Returns everything besides the photograph that determines a vector, as a JSON object: model, version,
/// SHA-256 of the weights, preprocessing. Reads the weights unless infer.json gives their SHA-256.
std::string made_with(const Model& model, std::size_t dim);

}  // namespace infer::inline v0::tools
