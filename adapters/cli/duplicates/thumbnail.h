#pragma once

#include <string>

#include "infer/core/result.h"
#include "infer/image/image.h"

namespace infer::cli {

/// A small JPEG of a photograph, at most 240 pixels on its longer edge, as a data: URI.
std::string thumbnail(const Image& image);

}  // namespace infer::cli
