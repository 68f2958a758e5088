#include "process.h"

#include <malloc.h>

#include <algorithm>

#include "infer/engine/torchscript.h"

namespace infer::cli {

void prepare_process(std::size_t intra_op_threads) {
  // Samples and decoded images are allocated and freed in sizes of many pages. Two heaps for all threads
  // waste less memory than one heap for each thread.
  mallopt(M_ARENA_MAX, 2);
  // Fixed thresholds: glibc would raise them to up to 32 and 64 MB, and keep as much at the end of each heap.
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 2 << 20);
  prepare_torch_process(std::max<std::size_t>(1, intra_op_threads));
}

}  // namespace infer::cli
