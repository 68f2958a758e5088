#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace infer::cli {

/// Adds a model folder to a command, as a positional argument and as the flag --model.
///
/// `model` holds the default and must outlive the command line. `variable` is the flag's environment
/// variable, or empty. A command line that names two different folders is an error.
void add_model_argument(CLI::App& command, std::string& model, const std::string& variable = {});

/// Throws if the command line names no model. For the callbacks of commands without a default model.
void require_model(const std::string& model);

/// Returns the folders of a command that takes several: `words` if there are any, else those of --model.
///
/// Throws if both were typed and differ. Words take precedence over a variable.
std::vector<std::string> model_folders(const std::vector<std::string>& words, const CLI::Option& flag,
                                       const std::vector<std::string>& flagged);

}  // namespace infer::cli
