#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "infer/core/result.h"

namespace infer::inline v0 {

/// Returns the bytes of a file. Errors: `kNotFound` (the file does not exist or cannot be read, such as a
/// folder or a loop of links), `kUnavailable` (no descriptors left), `kInvalidArgument` (larger than `limit`
/// bytes).
Result<std::string> read_file(const std::filesystem::path& file, std::size_t limit = std::size_t{1} << 28);

/// Returns the error for a file that could not be opened; `error` is `errno` after the attempt. Messages:
/// "PATH: no such file", "PATH: cannot be read: Too many open files". Codes: `kUnavailable` if the process or
/// the machine has no descriptors left, else `kNotFound`.
Error unreadable(const std::filesystem::path& file, int error);

}  // namespace infer::inline v0
