#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace infer::cli {

/// Text of others (a path, a message that holds one) for a terminal: control characters, direction marks and
/// bytes that are not UTF-8 are shown as \xNN, so that a name cannot steer the terminal or pass for another.
std::string printable(std::string_view text);

/// The same for text of several lines, which keeps its line breaks and tabs.
std::string printable_lines(std::string_view text);

/// The same for a column of a table: with blanks up to `width` characters, cut after `most`.
std::string printable_column(std::string_view text, std::size_t width, std::size_t most = 60);

/// A path as a word of a command line that is shown for copying into a shell. Only what holds control
/// characters or is not UTF-8 needs a shell that knows $'...', as bash, zsh and ksh do.
std::string shell_path(std::string_view path);

}  // namespace infer::cli
