#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "infer/core/result.h"

namespace infer::inline v0::tools {

/// Reads a file. Errors: `kNotFound`; `kInvalidArgument` for a file over 256 MiB, or for a name that is not
/// UTF-8, which the outputs cannot hold.
Result<std::vector<std::uint8_t>> read_photo(const std::string& path);

}  // namespace infer::inline v0::tools
