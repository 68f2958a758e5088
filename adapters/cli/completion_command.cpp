#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "commands.h"

namespace infer::cli {
namespace {

/// The options that help shows. Former names of options are hidden.
std::vector<const CLI::Option*> shown_options(const CLI::App& command) {
  return command.get_options([](const CLI::Option* option) { return !option->get_group().empty(); });
}

std::string words_of(const CLI::App& command) {
  std::string words;
  for (const CLI::App* verb : command.get_subcommands([](const CLI::App*) { return true; })) {
    words += verb->get_name() + " ";
  }
  for (const CLI::Option* option : shown_options(command)) {
    for (const std::string& name : option->get_lnames()) words += "--" + name + " ";
  }
  if (!words.empty()) words.pop_back();
  return words;
}

/// Writes one case for each command, which sets the words that can follow the command.
void write_cases(const CLI::App& command, const std::string& path, std::ostream& out) {
  const bool leaf = command.get_subcommands([](const CLI::App*) { return true; }).empty();
  out << "    \"" << path << "\") words=\"" << words_of(command) << "\"" << (leaf ? " files=yes" : "")
      << " ;;\n";
  for (const CLI::App* verb : command.get_subcommands([](const CLI::App*) { return true; })) {
    write_cases(*verb, path + " " + verb->get_name(), out);
  }
}

std::string bash(const CLI::App& app) {
  std::ostringstream out;
  out << "# bash completion for infer: source this file, or put it into /etc/bash_completion.d\n"
         "_infer() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} path=infer word words files i\n"
         "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
         "    word=${COMP_WORDS[i]}\n"
         "    case \"$path $word\" in\n";
  std::ostringstream paths;
  std::vector<std::pair<const CLI::App*, std::string>> open{{&app, "infer"}};
  while (!open.empty()) {
    const auto [command, path] = open.back();
    open.pop_back();
    for (const CLI::App* verb : command->get_subcommands([](const CLI::App*) { return true; })) {
      const std::string below = path + " " + verb->get_name();
      paths << (paths.tellp() > 0 ? "|" : "") << '"' << below << '"';
      open.emplace_back(verb, below);
    }
  }
  out << "      " << paths.str() << ") path=\"$path $word\" ;;\n    esac\n  done\n  case \"$path\" in\n";
  write_cases(app, "infer", out);
  out << "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "  [[ -z $files || $current == -* ]] || COMPREPLY+=($(compgen -f -- \"$current\"))\n"
         "}\n"
         "complete -o filenames -F _infer infer\n";
  return out.str();
}

std::string zsh(const CLI::App& app) {
  return "#compdef infer\n# zsh completion for infer: source this file\nautoload -U +X bashcompinit && "
         "bashcompinit\n" +
         bash(app);
}

std::string fish_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

void write_fish(const CLI::App& command, const std::string& condition, std::ostream& out) {
  const auto verbs = command.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* verb : verbs) {
    out << "complete -c infer -n " << fish_quoted(condition) << " -a " << verb->get_name() << " -d "
        << fish_quoted(verb->get_description()) << '\n';
  }
  for (const CLI::Option* option : shown_options(command)) {
    for (const std::string& name : option->get_lnames()) {
      out << "complete -c infer -n " << fish_quoted(condition) << " -l " << name << " -d "
          << fish_quoted(option->get_description()) << '\n';
    }
  }
  for (const CLI::App* verb : verbs)
    write_fish(*verb, "__fish_seen_subcommand_from " + verb->get_name(), out);
}

std::string fish(const CLI::App& app) {
  std::ostringstream out;
  out << "# fish completion for infer: put this file into ~/.config/fish/completions\n";
  write_fish(app, "__fish_use_subcommand", out);
  return out.str();
}

}  // namespace

void add_completion_command(CLI::App& app, Action& action) {
  auto shell = std::make_shared<std::string>();
  CLI::App* completion =
      app.add_subcommand("completion", "Print a script with which a shell completes the words of infer.");
  completion->add_option("shell", *shell, "Shell: bash, zsh or fish.")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->footer("Example: source <(infer completion bash)");
  completion->callback([&app, shell, &action] {
    action = [&app, shell] {
      std::cout << (*shell == "bash" ? bash(app) : *shell == "zsh" ? zsh(app) : fish(app));
      return 0;
    };
  });
}

}  // namespace infer::cli
