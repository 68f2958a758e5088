#pragma once

#include <string>

#include "infer/tasks/image_embedder.h"

namespace infer::cli {

/// What images of a folder are decoded with: one budget for all threads, of `decode_share` of the memory
/// there is.
DecodeLimits folder_limits();

/// Opens an embedder for a folder: an engine that takes as many samples as the window and the decoders hold.
/// Errors: those of `ImageEmbedder::open`; a folder that is no model says how to make one.
Result<ImageEmbedder> open_embedder(const std::string& model, const std::string& device,
                                    const DecodeLimits& limits);

}  // namespace infer::cli
