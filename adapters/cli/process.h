#pragma once

#include <cstddef>

namespace infer::cli {

/// Exit code of a run that finished but skipped some files.
inline constexpr int kSomeSkipped = 3;

/// Sets process-wide limits of the allocator and LibTorch. Call it before anything else runs.
void prepare_process(std::size_t intra_op_threads);

}  // namespace infer::cli
