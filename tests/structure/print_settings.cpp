// Prints the tables of docs/settings.md from the program's options.
#include <algorithm>
#include <iostream>
#include <string>

#include "infer/engine/open.h"
#include "infer/engine/settings.h"
#include "operations/options.h"

namespace {

using infer::Setting;

std::string key(const Setting& setting) {
  if (setting.place == Setting::Place::kNone) return "";
  return (setting.place == Setting::Place::kBatch ? "`batch." : "`") + std::string(setting.name) + "`";
}

bool is_setting(const std::string& flag) {
  return std::any_of(infer::kSettings.begin(), infer::kSettings.end(),
                     [&](const Setting& setting) { return setting.flag == flag; });
}

std::string code(const std::string& text) { return text.empty() ? "" : "`" + text + "`"; }

std::string default_value(const Setting& setting) {
  const auto defaults = infer::default_settings();
  if (!has_setting(setting, defaults)) return "from the usable cores";
  const std::string text = setting_text(setting, defaults);
  return text.empty() ? "empty" : code(text);
}

void print(const Setting& setting) {
  std::cout << "| " << (setting.flag.empty() ? "" : code("--" + std::string(setting.flag))) << " | "
            << key(setting) << " | " << infer::setting_values(setting) << " | " << default_value(setting)
            << " | " << setting.help << " |\n";
}

}  // namespace

int main() {
  infer::http::ServerOptions options;
  std::string group;
  for (const auto& row : infer::http::option_table(options)) {
    if (is_setting(row.name)) continue;
    if (row.group != group) {
      group = row.group;
      std::cout << "\n### " << group << "\n| flag | values | default | meaning |\n|---|---|---|---|\n";
    }
    std::cout << "| " << code("--" + row.name) << " | " << row.values << " | " << code(row.get()) << " | "
              << row.help << " |\n";
  }
  std::cout
      << "\n### Settings of a model\n| flag | key of infer.json | values of the flag | default | meaning "
         "|\n|---|---|---|---|---|\n";
  for (const Setting& setting : infer::kSettings) print(setting);
}
