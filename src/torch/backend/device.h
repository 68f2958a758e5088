#pragma once

#include <c10/core/Device.h>

#include <string>

#include "infer/core/result.h"

namespace infer::inline v0 {

/// "cpu" or "cuda:N". For cuda, LibTorch's GPU library is loaded into the process first.
/// Errors: `kInvalidArgument` (a name that is neither), `kFailedPrecondition` (no such device here).
Result<at::Device> parse_device(const std::string& name);

}  // namespace infer::inline v0
