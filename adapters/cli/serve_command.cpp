#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>

#include "commands.h"
#include "engine/read_file.h"
#include "infer/engine/torchscript.h"
#include "model_argument.h"
#include "operations/options.h"
#include "printable.h"
#include "process.h"
#include "server.h"

namespace infer::cli {
namespace {

std::string variable_name(const std::string& option) {
  std::string name = "INFER_" + option;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return c == '-' ? '_' : static_cast<char>(std::toupper(c)); });
  return name;
}

/// Returns the error for a value of an option. Names the environment variable if the value came from one.
CLI::ValidationError wrong_value(const std::string& option, const std::string& value, std::string reason) {
  const std::string variable = variable_name(option);
  const char* set = std::getenv(variable.c_str());
  const bool from_variable = set != nullptr && value == set;
  if (from_variable && reason.starts_with(option)) reason = variable + reason.substr(option.size());
  if (from_variable && option.ends_with("port") && value.starts_with("tcp://")) {
    std::string service = variable.substr(0, variable.size() - std::string("_PORT").size());
    std::transform(service.begin(), service.end(), service.begin(),
                   [](unsigned char c) { return c == '_' ? '-' : static_cast<char>(std::tolower(c)); });
    reason += "; Kubernetes sets " + variable + " for a Service named '" + service +
              "': rename the Service, or set enableServiceLinks: false in the pod";
  }
  return CLI::ValidationError(from_variable ? "variable" : "--" + option, reason);
}

/// Sets the options of FILE that no flag, variable or positional argument has set.
void read_config(const std::string& file, const CLI::App& serve, const std::vector<http::OptionRow>& table,
                 bool has_models) {
  const auto content = infer::read_file(file);
  if (!content) throw CLI::FileError(content.error().message);
  std::istringstream lines(*content);
  for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_config(lines)) {
    const auto row = std::find_if(table.begin(), table.end(),
                                  [&](const http::OptionRow& r) { return r.name == item.name; });
    if (row == table.end() || !item.parents.empty()) {
      throw CLI::ValidationError(
          file, "unknown key '" + item.fullname() + "'; the keys are the flags without their dashes");
    }
    if (serve.get_option("--" + row->name)->count() > 0 || (has_models && row->name == "model")) continue;
    if (auto set = row->set(CLI::detail::join(item.inputs)); !set)
      throw CLI::ValidationError(file, set.error().message);
  }
}

}  // namespace

void add_serve_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<http::ServerOptions>();
  CLI::App* serve = app.add_subcommand("serve", "Serve models over HTTP.");
  auto folders = std::make_shared<std::vector<std::string>>();
  serve->add_option("model", *folders, "Folders of the models to serve, each with its infer.json.")
      ->type_name("DIR");
  auto config = std::make_shared<std::string>();
  serve->add_option("--config", *config, "TOML file with options as keys, such as max-images = 8.")
      ->type_name("FILE")
      ->envname("INFER_CONFIG");
  auto table = std::make_shared<std::vector<http::OptionRow>>(http::option_table(*options));
  for (const http::OptionRow& row : *table) {
    CLI::Option* option = serve->add_option_function<std::string>(
        "--" + row.name,
        [&row, table](const std::string& value) {
          if (auto set = row.set(value); !set) throw wrong_value(row.name, value, set.error().message);
        },
        row.help);
    // The footer explains the variables of all options, so no option's help repeats its variable.
    option->option_text(row.placeholder + (row.get().empty() ? "" : "=" + row.get()));
    option->envname(variable_name(row.name));
    option->group(row.group);
  }
  serve->footer(
      "Each option is also a variable (--max-images: INFER_MAX_IMAGES) and a key of the file given by "
      "--config.\n"
      "A flag comes before a variable, then come the file, settings that infer tune found, the model's "
      "infer.json,\n"
      "and the default. docs/settings.md lists all options with their limits.\n\n"
      "Examples:\n"
      "  infer serve models/clip-vit-b-32\n"
      "  infer serve --models models/\n"
      "  INFER_HOST=0.0.0.0 INFER_PORT=8080 infer serve models/clip-vit-b-32 --max-inflight 32");
  serve->callback([serve, folders, options, table, config, &action] {
    options->repository.models =
        model_folders(*folders, *serve->get_option("--model"), options->repository.models);
    if (!config->empty()) read_config(*config, *serve, *table, !folders->empty());
    action = [options] {
      if (options->repository.models.empty() && options->repository.folder.empty()) {
        std::cerr << "infer serve: name a model folder, or a folder of models with --models. To make a model "
                     "to try: infer model create clip-vit-b-32 --out models/clip-vit-b-32\n";
        return 2;
      }
      prepare_process(options->repository.engine.intra_op_threads.value_or(0));
      return http::run_server(*options);
    };
  });
}

void add_drain_command(CLI::App& app, Action& action) {
  auto address = std::make_shared<http::AdminAddress>();
  CLI::App* drain = app.add_subcommand(
      "drain",
      "Ask the server on this machine to stop, and wait until load balancers send it no more "
      "requests.");
  drain
      ->add_option_function<std::string>(
          "--probe-port",
          [address](const std::string& value) {
            const char* end = value.data() + value.size();
            const auto [stop, error] = std::from_chars(value.data(), end, address->probe_port);
            if (error == std::errc() && stop == end && address->probe_port >= 1 &&
                address->probe_port <= 65535)
              return;
            throw wrong_value("probe-port", value,
                              "probe-port: '" + value + "' is not a whole number from 1 to 65535");
          },
          "Probe port of the server.")
      ->type_name("PORT")
      ->default_str("9002")
      ->envname("INFER_PROBE_PORT");
  drain
      ->add_option("--probe-host", address->probe_host,
                   "Address of the server's probe listener; 127.0.0.1 if not given.")
      ->type_name("ADDRESS")
      ->envname("INFER_PROBE_HOST");
  drain->add_option("--admin-socket", address->socket, "Unix socket of the server, if the server has one.")
      ->type_name("PATH")
      ->envname("INFER_ADMIN_SOCKET");
  drain->footer(
      "Use the --probe-host, --probe-port and --admin-socket of the server, or the same variables.\n\n"
      "Example, as a preStop hook: infer drain");
  drain->callback([address, &action] {
    action = [address] {
      if (auto drained = http::request_drain(*address); !drained) {
        std::cerr << "infer drain: " << printable(drained.error().message) << '\n';
        return 1;
      }
      return 0;
    };
  });
}

}  // namespace infer::cli
