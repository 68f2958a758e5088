#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace infer::cli {

/// Makes foreign text, such as a path, safe for a terminal: control characters, direction marks and bytes
/// that are not UTF-8 become \xNN. Otherwise a file name could control the terminal or imitate another
/// name.
std::string printable(std::string_view text);

/// Like `printable`, but keeps line breaks and tabs.
std::string printable_lines(std::string_view text);

/// Like `printable`, padded with blanks to `width` characters and cut after `most`, for a column of a
/// table.
std::string printable_column(std::string_view text, std::size_t width, std::size_t most = 60);

/// Returns a path quoted as a shell word, for commands that users copy. Only paths with control characters
/// or invalid UTF-8 need a shell that knows $'...' (bash, zsh, ksh).
std::string shell_path(std::string_view path);

}  // namespace infer::cli
