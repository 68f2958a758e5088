#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace infer::cli {

/// The program runs the action of the chosen subcommand and exits with its result.
using Action = std::function<int()>;

void add_serve_command(CLI::App& app, Action& action);
void add_drain_command(CLI::App& app, Action& action);
void add_embed_command(CLI::App& app, Action& action);
void add_duplicates_command(CLI::App& app, Action& action);
void add_model_command(CLI::App& app, Action& action);
void add_doctor_command(CLI::App& app, Action& action);
void add_bench_command(CLI::App& app, Action& action);
void add_tune_command(CLI::App& app, Action& action);
void add_plan_command(CLI::App& app, Action& action);
void add_load_command(CLI::App& app, Action& action);
void add_train_command(CLI::App& app, Action& action);
void add_promote_command(CLI::App& app, Action& action);
void add_wait_command(CLI::App& app, Action& action);
void add_get_command(CLI::App& app, Action& action);
void add_completion_command(CLI::App& app, Action& action);

}  // namespace infer::cli
