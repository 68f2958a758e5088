#include <fcntl.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>

#include "commands.h"
#include "infer/engine/torchscript.h"
#include "infer/version.h"
#include "printable.h"
#include "suggestion.h"

namespace {

/// Output that was lost is a failure, whatever else went well.
int after_writing(int code) {
  std::cout.flush();
  if (std::cout && std::ferror(stdout) == 0) return code;
  std::cerr << "infer: standard output could not be written; what was printed is not complete\n";
  return 1;
}

/// A descriptor that is closed would be given to the next file that is opened, and the text printed into it.
void keep_standard_descriptors() {
  for (const int descriptor : {0, 1, 2}) {
    if (fcntl(descriptor, F_GETFD) == -1) static_cast<void>(open("/dev/null", O_RDONLY));
  }
}

}  // namespace

int main(int argc, char** argv) {
  // A file that grows past its limit is an error of that write, not the end of the process.
  std::signal(SIGXFSZ, SIG_IGN);
  keep_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that went away is an error of the write

  CLI::App app(
      "Inference with TorchScript models: serve them over HTTP, run them on folders, look after them.",
      "infer");
  app.set_version_flag("--version",
                       std::string("infer ") + INFER_VERSION + ", LibTorch " + infer::torch_version());
  app.require_subcommand(1);
  // Inherited by the commands: each reads its variables when it is the one that runs. Else a variable that is
  // wrong for one, such as INFER_PORT as Kubernetes sets it, ends all the others.
  app.immediate_callback();
  app.set_help_all_flag("--help-all", "Help for all commands");
  infer::cli::Action action;
  infer::cli::add_serve_command(app, action);
  infer::cli::add_drain_command(app, action);
  infer::cli::add_embed_command(app, action);
  infer::cli::add_duplicates_command(app, action);
  infer::cli::add_model_command(app, action);
  infer::cli::add_train_command(app, action);
  infer::cli::add_promote_command(app, action);
  infer::cli::add_doctor_command(app, action);
  infer::cli::add_bench_command(app, action);
  infer::cli::add_tune_command(app, action);
  infer::cli::add_plan_command(app, action);
  infer::cli::add_load_command(app, action);
  infer::cli::add_wait_command(app, action);
  infer::cli::add_get_command(app, action);
  infer::cli::add_completion_command(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return after_writing(app.exit(error));  // help and version
    const std::string unknown = infer::cli::unknown_word(app, argc, argv);
    std::cerr << "infer: "
              << (unknown.empty() ? infer::cli::printable(error.what()) : infer::cli::printable(unknown))
              << '\n';
    std::cerr << "infer --help and infer COMMAND --help show what there is.\n";
    return 2;
  }
  try {
    return after_writing(action());
  } catch (const std::exception& error) {  // what the machine lacks: descriptors, threads, memory
    std::cerr << "infer: " << infer::cli::printable(error.what())
              << "; ulimit -a shows the limits of this process\n";
    return 1;
  }
}
