#include "suggestion.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "engine/nearest_name.h"

namespace infer::cli {
namespace {

/// Suggests a known name if at most a third of the letters differ (or 2), else lists all names.
std::string explain(const std::string& word, const std::string& what, const std::vector<std::string>& known) {
  const std::string_view best = nearest_name(word, known);
  const std::size_t most = std::max<std::size_t>(2, word.size() / 3);
  std::string out = "'" + word + "' is not a " + what;
  if (edit_distance(word, best) <= most) return out + "; did you mean " + std::string(best) + "?";
  out += "; known:";
  for (std::size_t i = 0; i < known.size(); ++i) out += (i == 0 ? " " : ", ") + known[i];
  return out;
}

}  // namespace

std::string unknown_word(const CLI::App& app, int argc, const char* const* argv) {
  const CLI::App* command = &app;
  std::string path = app.get_name();
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto verbs = command->get_subcommands([](const CLI::App*) { return true; });
    if (word.starts_with("--") && word.size() > 2) {
      const std::string flag = word.substr(0, word.find('='));
      if (command->get_option_no_throw(flag) != nullptr) continue;
      std::vector<std::string> flags;
      for (const CLI::Option* option : command->get_options()) {
        if (option->get_group().empty()) continue;  // a former name
        for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
      }
      return explain(flag, "flag of " + path, flags);
    }
    if (verbs.empty() || word.starts_with('-')) continue;
    const auto verb =
        std::find_if(verbs.begin(), verbs.end(), [&](const CLI::App* v) { return v->get_name() == word; });
    if (verb == verbs.end()) {
      std::vector<std::string> names;
      for (const CLI::App* v : verbs) names.push_back(v->get_name());
      return explain(word, "command of " + path, names);
    }
    command = *verb;
    path += " " + word;
  }
  return "";
}

}  // namespace infer::cli
