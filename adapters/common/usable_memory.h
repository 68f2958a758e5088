#pragma once

#include <cstddef>

namespace infer::adapter {

/// Bytes of memory that this process may use: the control group's limit, or the machine's memory where that
/// is less or there is no limit.
std::size_t usable_memory();

}  // namespace infer::adapter
