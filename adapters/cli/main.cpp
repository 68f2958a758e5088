#include <CLI/CLI.hpp>
#include <iostream>

#include "commands.h"
#include "infer/engine/torchscript.h"
#include "infer/version.h"

int main(int argc, char** argv) {
  CLI::App app("Inference with TorchScript models: serve them over HTTP, make them, look after them.",
               "infer");
  app.set_version_flag("--version",
                       std::string("infer ") + INFER_VERSION + ", LibTorch " + infer::torch_version());
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Help for all commands");
  infer::cli::Action action;
  infer::cli::add_serve_command(app, action);
  infer::cli::add_drain_command(app, action);
  infer::cli::add_model_command(app, action);
  CLI11_PARSE(app, argc, argv);
  return action();
}
