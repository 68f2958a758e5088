#pragma once

#include <cstdint>
#include <filesystem>

#include "infer/export.h"

namespace infer::inline v0 {

/// Returns the bytes of memory that this process may use: the smaller of the machine's memory and the control
/// group's limit. Blocks for a few small file reads.
INFER_EXPORT std::uint64_t usable_memory();
/// Returns the bytes of memory that are available on the machine, from ROOT/proc/meminfo; 0 if unknown.
/// Blocks for one file read.
INFER_EXPORT std::uint64_t available_memory(const std::filesystem::path& root = "/");
/// Returns the bytes of memory that this process has in use. Blocks for one file read.
INFER_EXPORT std::uint64_t resident_memory();

}  // namespace infer::inline v0
