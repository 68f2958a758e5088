#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "infer/core/result.h"

namespace infer::inline v0 {

/// The bytes of a file. Errors: `kNotFound` (no such file, or one that cannot be read: a folder, a loop of
/// links), `kUnavailable` (no descriptors left), `kInvalidArgument` (larger than `limit` bytes).
Result<std::string> read_file(const std::filesystem::path& file, std::size_t limit = std::size_t{1} << 28);

/// Why a file could not be opened, by `error`, which is `errno` right after that: "PATH: no such file",
/// "PATH: cannot be read: Too many open files". `kNotFound`, or `kUnavailable` where the process or the
/// machine has no descriptors left.
Error unreadable(const std::filesystem::path& file, int error);

}  // namespace infer::inline v0
