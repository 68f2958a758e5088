#pragma once

#include <cstddef>
#include <vector>

#include "exchange/exchange.h"

namespace infer::http {

class Service;

/// Handles POST /embed with a JSON body, like text-embeddings-inference: {"inputs": s | [s], "normalize"?:
/// true, "truncate"?: true, "dimensions"?, "model"?, "version"?} -> [[f]].
void embed_json(Service& service, Exchange& exchange);

/// Keeps the first `dimensions` numbers. Restores unit length if `normalize`.
void shorten(std::vector<float>& vector, std::size_t dimensions, bool normalize);

}  // namespace infer::http
