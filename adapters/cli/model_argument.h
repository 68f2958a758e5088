#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace infer::cli {

/// Adds a model folder to a command: the word `model`, and the flag --model, which names the same folder.
///
/// `model` holds the default, and must outlive the command line. `variable` is the flag's variable, or empty.
/// A command line that names two folders is an error.
void add_model_argument(CLI::App& command, std::string& model, const std::string& variable = {});

/// For the callback of a command without a default model: throws if the command line names none.
void require_model(const std::string& model);

/// Returns the folders of a command that takes several: `words` if there are any, else those of --model.
///
/// Throws if both were typed and differ; words come before a variable.
std::vector<std::string> model_folders(const std::vector<std::string>& words, const CLI::Option& flag,
                                       const std::vector<std::string>& flagged);

}  // namespace infer::cli
