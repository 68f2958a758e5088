#include <simdjson.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "infer/engine/tuned.h"
#include "read_setting.h"

namespace infer::inline v0 {
namespace {

Result<void> read_field(const std::string& name, std::string_view key, simdjson::dom::element value,
                        TunedSettings& settings) {
  // Only people read these two numbers, so a wrong value is not an error.
  for (const auto& [measured, out] : {std::pair("samples_per_second", &settings.samples_per_second),
                                      std::pair("p95_ms", &settings.p95_ms)}) {
    if (key != measured) continue;
    if (value.get(*out) != simdjson::SUCCESS) *out = 0;
    return {};
  }
  const auto setting = std::find_if(kSettings.begin(), kSettings.end(),
                                    [&](const Setting& row) { return row.is_tuned && row.name == key; });
  if (setting == kSettings.end()) return fail(ErrorCode::kInvalidArgument, name + ": is not a tuned setting");
  return read_setting(*setting, value, name, settings);
}

}  // namespace

Result<TunedVersions> read_tuned(const std::filesystem::path& file) {
  simdjson::dom::parser parser;
  simdjson::dom::object versions;
  if (const auto error = parser.load(file.string())["versions"].get(versions)) {
    std::error_code ignored;
    return fail(std::filesystem::exists(file, ignored) ? ErrorCode::kInvalidArgument : ErrorCode::kNotFound,
                file.string() + ": " + simdjson::error_message(error));
  }
  TunedVersions all;
  for (const auto& [version, value] : versions) {
    simdjson::dom::object fields;
    if (value.get(fields) != simdjson::SUCCESS)
      return fail(ErrorCode::kInvalidArgument,
                  file.string() + ": " + std::string(version) + ": must be an object");
    TunedSettings& settings = all[std::string(version)];
    for (const auto& [key, content] : fields) {
      if (auto read = read_field(file.string() + ": " + std::string(key), key, content, settings); !read)
        return Unexpected(read.error());
    }
  }
  return all;
}

}  // namespace infer::inline v0
