#include "process.h"

#include <malloc.h>

#include <algorithm>

#include "infer/engine/torchscript.h"

namespace infer::cli {

void prepare_process(std::size_t intra_op_threads) {
  // Samples and decoded images come and go in sizes of many pages: two heaps of them instead of one for each
  // of many threads.
  mallopt(M_ARENA_MAX, 2);
  // Fixed: glibc raises both by itself, up to 32 and 64 MB, and keeps as much at the end of each heap.
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 2 << 20);
  prepare_torch_process(std::max<std::size_t>(1, intra_op_threads));
}

}  // namespace infer::cli
