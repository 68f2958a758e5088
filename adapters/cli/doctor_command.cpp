#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "commands.h"
#include "doctor/check.h"
#include "engine/json_writer.h"
#include "model_argument.h"
#include "printable.h"
#include "process.h"

namespace infer::cli {
namespace {

using Level = Check::Level;

const char* word(Level level) {
  return level == Level::kOk ? "ok" : level == Level::kWarning ? "warning" : "failure";
}

/// Colours are used only on a terminal, and not if NO_COLOR (no-color.org) is set.
std::string coloured(Level level) {
  const char* no_color = std::getenv("NO_COLOR");
  std::string text = word(level);
  text.resize(8, ' ');
  if (isatty(STDOUT_FILENO) != 1 || (no_color != nullptr && *no_color != '\0')) return text;
  const char* code = level == Level::kOk ? "32" : level == Level::kWarning ? "33" : "31";
  return std::string("\x1b[") + code + "m" + text + "\x1b[0m";
}

int run(const std::vector<std::string>& models, bool json_wanted) {
  prepare_process(1);
  std::vector<Check> checks = check_machine();
  for (const std::string& model : models) {
    for (Check& check : check_model(model)) {
      check.name = model + " " + check.name;
      checks.push_back(std::move(check));
    }
  }
  const auto worst = std::max_element(checks.begin(), checks.end(),
                                      [](const Check& a, const Check& b) { return a.level < b.level; });
  if (json_wanted) {
    JsonWriter json;
    json.begin_object().key("level").value(word(worst->level)).key("checks").begin_array();
    for (const Check& check : checks) {
      json.begin_object().key("level").value(word(check.level)).key("name").value(check.name);
      json.key("found").value(check.found).key("advice").value(check.advice).end_object();
    }
    std::cout << json.end_array().end_object().text() << '\n';
  } else {
    for (const Check& check : checks) {
      std::cout << coloured(check.level) << printable(check.name) << ": " << printable(check.found) << '\n';
      if (!check.advice.empty()) std::cout << "        -> " << printable(check.advice) << '\n';
    }
  }
  return worst->level == Level::kFailure ? 1 : 0;
}

}  // namespace

void add_doctor_command(CLI::App& app, Action& action) {
  auto words = std::make_shared<std::vector<std::string>>();
  auto models = std::make_shared<std::vector<std::string>>();
  auto json = std::make_shared<bool>(false);
  CLI::App* doctor =
      app.add_subcommand("doctor", "Check this machine, and models, for what makes inference slow or wrong.");
  doctor->add_option("model", *words, "Model folders to check too.")->type_name("DIR");
  CLI::Option* flag = doctor->add_option("--model", *models, "Model folders, in place of the words.");
  flag->type_name("DIR");
  doctor->add_flag("--json", *json, "Print the findings as JSON.");
  doctor->footer(
      "Exit code 1: something will not work. Warnings do not change the exit code 0.\n\n"
      "Example: infer doctor models/clip-vit-b-32");
  doctor->callback([=, &action] {
    const auto folders = model_folders(*words, *flag, *models);
    action = [folders, json] { return run(folders, *json); };
  });
}

}  // namespace infer::cli
