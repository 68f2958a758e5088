#pragma once

#include <string>

#include "infer/tasks/image_embedder.h"

namespace infer::cli {

/// Limits for decoding the images of a folder. All threads share one budget, the `decode_share` of the
/// usable memory.
DecodeLimits folder_limits();

/// Opens an embedder whose engine accepts enough samples for embedding a folder. Errors: those of
/// `ImageEmbedder::open`. If the folder is not a model, the error says how to make one.
Result<ImageEmbedder> open_embedder(const std::string& model, const std::string& device,
                                    const DecodeLimits& limits);

}  // namespace infer::cli
