#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace infer::cli {

/// Says which verb or flag of `argv` is unknown and what it may have meant; empty where all are known.
std::string unknown_word(const CLI::App& app, int argc, const char* const* argv);

}  // namespace infer::cli
