#include "model_argument.h"

#include <cstdlib>
#include <memory>

namespace infer::cli {
namespace {

bool is_from_variable(const CLI::Option& flag) {
  const char* value = std::getenv(flag.get_envname().c_str());
  return value != nullptr && CLI::detail::join(flag.results()) == value;
}

/// Refuses a flag that names another model than the positional argument. A variable may, because typed
/// words take precedence.
void check_agree(const std::string& word, const CLI::Option& flag, const std::string& flagged) {
  if (word == flagged || is_from_variable(flag)) return;
  throw CLI::ValidationError("--model", "'" + flagged + "' and the argument '" + word +
                                            "' name different models; give only one of them");
}

}  // namespace

void add_model_argument(CLI::App& command, std::string& model, const std::string& variable) {
  auto word = std::make_shared<std::string>();
  command
      .add_option_function<std::string>(
          "model", [word, &model](const std::string& given) { model = *word = given; }, "Model folder.")
      ->type_name("DIR")
      ->default_str(model);
  // Callbacks run in the order of the options, so `word` is already set here.
  auto flag = std::make_shared<CLI::Option*>(nullptr);
  *flag = command.add_option_function<std::string>(
      "--model",
      [word, flag, &model](const std::string& given) {
        if (!word->empty()) return check_agree(*word, **flag, given);
        model = given;
      },
      "Model folder, in place of the word.");
  (*flag)->type_name("DIR")->envname(variable);
}

void require_model(const std::string& model) {
  if (model.empty()) throw CLI::RequiredError("model");
}

std::vector<std::string> model_folders(const std::vector<std::string>& words, const CLI::Option& flag,
                                       const std::vector<std::string>& flagged) {
  if (words.empty()) return flagged;
  if (!flagged.empty() && flag.count() > 0 && words != flagged)
    check_agree(CLI::detail::join(words), flag, CLI::detail::join(flagged));
  return words;
}

}  // namespace infer::cli
