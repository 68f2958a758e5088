#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "infer/core/result.h"
#include "infer/engine/backend.h"
#include "infer/engine/manifest.h"

namespace infer::inline v0 {

/// Loads DIRECTORY/FILE of the manifest, freezes it and moves it to the device.
Result<std::shared_ptr<const Backend>> load_torchscript(const Manifest& manifest,
                                                        const std::filesystem::path& directory,
                                                        const LoadOptions& options);

}  // namespace infer::inline v0
