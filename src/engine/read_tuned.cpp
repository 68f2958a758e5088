#include <simdjson.h>

#include <string_view>

#include "infer/engine/tuned.h"
#include "read_setting.h"

namespace infer::inline v0 {

Result<TunedVersions> read_tuned(const std::filesystem::path& file) {
  simdjson::dom::parser parser;
  simdjson::dom::object versions;
  if (const auto error = parser.load(file.string())["versions"].get(versions)) {
    std::error_code ignored;
    return fail(std::filesystem::exists(file, ignored) ? ErrorCode::kInvalidArgument : ErrorCode::kNotFound,
                file.string() + ": " + simdjson::error_message(error));
  }
  TunedVersions all;
  for (const auto& [version, fields] : versions) {
    TunedSettings settings;
    for (const Setting& setting : kSettings) {
      if (!setting.is_tuned) continue;
      const std::string name = file.string() + ": " + std::string(setting.name);
      simdjson::dom::element value;
      if (fields[setting.name].get(value) != simdjson::SUCCESS)
        return fail(ErrorCode::kInvalidArgument, name + ": is missing");
      if (auto read = read_setting(setting, value, name, settings); !read) return Unexpected(read.error());
    }
    // For people to read; left out is no mistake.
    if (fields["samples_per_second"].get(settings.samples_per_second) != simdjson::SUCCESS)
      settings.samples_per_second = 0;
    if (fields["p95_ms"].get(settings.p95_ms) != simdjson::SUCCESS) settings.p95_ms = 0;
    all.emplace(version, settings);
  }
  return all;
}

}  // namespace infer::inline v0
