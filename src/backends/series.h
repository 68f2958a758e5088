#pragma once

#include <filesystem>
#include <memory>

#include "infer/engine/backend.h"
#include "infer/engine/manifest.h"

namespace infer::inline v0 {

/// Loads a statistical model; a row of the table of backends. Errors: `kNotFound`, `kModelError`.
Result<std::shared_ptr<const Backend>> load_series(const Manifest& manifest,
                                                   const std::filesystem::path& directory,
                                                   const LoadOptions& options);

}  // namespace infer::inline v0
