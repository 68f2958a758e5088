#include "open_embedder.h"

#include <chrono>
#include <memory>

#include "infer/machine/memory.h"
#include "process.h"

namespace infer::cli {

DecodeLimits folder_limits() {
  return {.budget = std::make_shared<DecodeBudget>(decode_share(usable_memory()))};
}

Result<ImageEmbedder> open_embedder(const std::string& model, const std::string& device,
                                    const DecodeLimits& limits) {
  prepare_process(1);
  OpenOptions options;
  options.device = device;
  options.max_inflight = std::size_t{1} << 16;  // the caller's window is smaller
  options.max_queue_size = std::size_t{1} << 16;
  options.max_wait = std::chrono::milliseconds(0);
  auto embedder = ImageEmbedder::open(model, options, limits);
  if (!embedder && embedder.error().code == ErrorCode::kNotFound) {
    return fail(ErrorCode::kNotFound, embedder.error().message +
                                          "; --model must name a model folder. To make a model to try: infer "
                                          "model create clip-vit-b-32 --out models/clip-vit-b-32");
  }
  return embedder;
}

}  // namespace infer::cli
