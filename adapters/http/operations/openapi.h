#pragma once

#include <string>
#include <vector>

#include "exchange/router.h"

namespace infer::http {

/// Returns the OpenAPI 3.1 description of the routes.
std::string openapi(const std::vector<Route>& routes);

}  // namespace infer::http
