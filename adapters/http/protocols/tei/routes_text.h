#pragma once

#include <cstddef>
#include <vector>

#include "exchange/exchange.h"

namespace infer::http {

class Service;

/// POST /embed with a JSON body, as text-embeddings-inference has it:
/// {"inputs": s | [s], "normalize"?: true, "truncate"?: true, "dimensions"?, "model"?, "version"?} -> [[f]].
void embed_json(Service& service, Exchange& exchange);

/// The first `dimensions` numbers, as a unit vector again where it is to be one.
void shorten(std::vector<float>& vector, std::size_t dimensions, bool normalize);

}  // namespace infer::http
