#pragma once

#include <filesystem>
#include <istream>
#include <string>
#include <string_view>

#include "infer/core/result.h"
#include "infer/engine/manifest.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// Returns the SHA-256 (FIPS 180-4) of a text, in hexadecimal; empty if libcrypto lacks it. Exported for
/// src/tools.
INFER_EXPORT std::string sha256(std::string_view text);
/// Returns the SHA-256 of the rest of a stream, in hexadecimal; empty if libcrypto lacks it. Exported for
/// src/tools.
INFER_EXPORT std::string sha256(std::istream& file);

/// Compares the files of a version with the digests in infer.json. Errors: `kNotFound`, `kUnavailable` (no
/// descriptors left), `kModelError`, naming the file.
Result<void> check_digests(const Manifest& manifest, const std::filesystem::path& directory);

}  // namespace infer::inline v0
