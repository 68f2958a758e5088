#pragma once

#include <string>
#include <string_view>

namespace infer::cli {

/// Text of others (a path, a message that holds one) for a terminal: control characters, direction marks and
/// bytes that are not UTF-8 are shown as \xNN, so that a name cannot steer the terminal or pass for another.
std::string printable(std::string_view text);

}  // namespace infer::cli
