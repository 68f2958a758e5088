#pragma once

#include <string>
#include <string_view>

namespace infer::cli {

/// A word that a POSIX shell reads as exactly `path`, in printable ASCII whatever bytes the path has, so that
/// no browser, editor or clipboard changes it. A path with a leading dash gets "./" before it. The path must
/// not end with a newline.
std::string shell_word(std::string_view path);

}  // namespace infer::cli
