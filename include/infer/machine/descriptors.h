#pragma once

#include <cstddef>

#include "infer/export.h"

namespace infer::inline v0 {

/// Returns how many file descriptors this process may have; the largest `std::size_t` means no limit.
INFER_EXPORT std::size_t descriptor_limit() noexcept;
/// Raises the limit of file descriptors as far as the host allows, and returns the new limit.
INFER_EXPORT std::size_t raise_descriptor_limit() noexcept;
/// Returns how many file descriptors this process has open; 0 if unknown. Blocks while it reads a folder of
/// /proc.
INFER_EXPORT std::size_t open_descriptors();

}  // namespace infer::inline v0
