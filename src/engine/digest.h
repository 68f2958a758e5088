#pragma once

#include <filesystem>

#include "infer/core/result.h"
#include "infer/engine/manifest.h"

namespace infer::inline v0 {

/// Compares the files of a version with the SHA-256 that infer.json gives for them. Errors: `kNotFound`,
/// `kModelError`, naming the file.
Result<void> check_digests(const Manifest& manifest, const std::filesystem::path& directory);

}  // namespace infer::inline v0
