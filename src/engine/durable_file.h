#pragma once

#include <filesystem>
#include <string_view>

#include "infer/core/result.h"

namespace infer::inline v0 {

/// Writes `content` beside `file`, flushes it to the disk and renames it: after a crash there is the old file
/// or the new one, whole. Errors: `kFailedPrecondition`.
Result<void> write_durably(const std::filesystem::path& file, std::string_view content);

}  // namespace infer::inline v0
