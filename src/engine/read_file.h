#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "infer/core/result.h"

namespace infer::inline v0 {

/// The bytes of a file. Errors: `kNotFound` (no such file, or one that cannot be read: a folder, a loop of
/// links), `kInvalidArgument` (larger than `limit` bytes).
Result<std::string> read_file(const std::filesystem::path& file, std::size_t limit = std::size_t{1} << 28);

}  // namespace infer::inline v0
