#pragma once

#include <c10/core/Device.h>

#include <string>

#include "infer/core/result.h"

namespace infer::inline v0 {

/// Parses "cpu" or "cuda:N". For cuda, first loads LibTorch's GPU library into the process. Errors:
/// `kInvalidArgument` (a name that is neither), `kFailedPrecondition` (this machine has no such device).
Result<at::Device> parse_device(const std::string& name);

}  // namespace infer::inline v0
