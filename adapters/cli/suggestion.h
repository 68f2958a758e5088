#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace infer::cli {

/// Explains the first unknown verb or flag of `argv` and suggests a similar one. Empty if all are known.
std::string unknown_word(const CLI::App& app, int argc, const char* const* argv);

}  // namespace infer::cli
