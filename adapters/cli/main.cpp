#include <fcntl.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <utility>
#include <vector>

#include "commands.h"
#include "infer/engine/torchscript.h"
#include "infer/version.h"
#include "printable.h"
#include "suggestion.h"

namespace {

/// Lost output is a failure, even if the command succeeded.
int after_writing(int code) {
  std::cout.flush();
  if (std::cout && std::ferror(stdout) == 0) return code;
  std::cerr << "infer: standard output could not be written, so the printed output is incomplete\n";
  return 1;
}

/// Opens closed standard descriptors. Otherwise the next opened file would get such a descriptor, and
/// printed text would go into that file.
void keep_standard_descriptors() {
  for (const int descriptor : {0, 1, 2}) {
    if (fcntl(descriptor, F_GETFD) == -1) static_cast<void>(open("/dev/null", O_RDONLY));
  }
}

constexpr const char* kFooter =
    "infer COMMAND --help shows the options of a command.\n\n"
    "Exit codes:\n"
    "  0    The command succeeded.\n"
    "  1    The command failed, or infer doctor found something that will not work.\n"
    "  2    The command line, a variable or a configuration file is wrong.\n"
    "  3    The command finished, but skipped files (embed, duplicates) or saw failed requests (load).\n"
    "  130  Ctrl-C stopped the command. What it has written is complete.";

/// Adds the commands, grouped by purpose. Help lists them in this order.
void add_commands(CLI::App& app, infer::cli::Action& action) {
  using Add = void (*)(CLI::App&, infer::cli::Action&);
  using namespace infer::cli;
  const std::pair<const char*, std::vector<Add>> groups[] = {
      {"Serve models", {add_serve_command, add_drain_command, add_promote_command}},
      {"Embed photographs", {add_embed_command, add_duplicates_command}},
      {"Make models", {add_model_command, add_train_command}},
      {"Measure", {add_bench_command, add_tune_command, add_plan_command, add_load_command}},
      {"Operate", {add_doctor_command, add_wait_command, add_get_command, add_completion_command}}};
  for (const auto& [group, commands] : groups) {
    for (const Add add : commands) {
      add(app, action);
      app.get_subcommands([](const CLI::App*) { return true; }).back()->group(group);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  // A file that grows past its limit must fail the write, not end the process.
  std::signal(SIGXFSZ, SIG_IGN);
  keep_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);  // a vanished reader must fail the write

  CLI::App app(
      "Runs TorchScript models: serves them over HTTP, embeds folders of photographs, makes and measures "
      "models.",
      "infer");
  app.set_version_flag("--version",
                       std::string("infer ") + INFER_VERSION + ", LibTorch " + infer::torch_version());
  app.require_subcommand(1);
  // The commands inherit this: each command reads its variables only if it runs. Otherwise a wrong variable
  // of one command, such as INFER_PORT as Kubernetes sets it, would end all the others.
  app.immediate_callback();
  app.set_help_all_flag("--help-all", "Print the help of all commands and exit.");
  app.get_help_ptr()->description("Print this help and exit.");
  app.get_option("--version")->description("Print the versions of infer and LibTorch and exit.");
  infer::cli::Action action;
  add_commands(app, action);
  app.footer(kFooter);
  app.get_formatter()->column_width(36);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return after_writing(app.exit(error));  // help and version
    const std::string unknown = infer::cli::unknown_word(app, argc, argv);
    std::cerr << "infer: "
              << (unknown.empty() ? infer::cli::printable(error.what()) : infer::cli::printable(unknown))
              << '\n';
    std::cerr << "infer --help lists the commands, infer COMMAND --help the options of a command.\n";
    return 2;
  }
  try {
    return after_writing(action());
  } catch (const std::exception& error) {  // such as no descriptors, threads or memory left
    std::cerr << "infer: " << infer::cli::printable(error.what())
              << "; ulimit -a shows the limits of this process\n";
    return 1;
  }
}
