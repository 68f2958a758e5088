#pragma once

#include <cstddef>

namespace infer::cli {

/// Exit code of a run that finished but had to leave some files out.
inline constexpr int kSomeSkipped = 3;

/// What is global in this process; call it before anything else runs.
void prepare_process(std::size_t intra_op_threads);

}  // namespace infer::cli
