#include "infer/engine/tuned.h"

#include <cctype>
#include <fstream>
#include <sstream>
#include <string_view>
#include <utility>

#include "durable_file.h"
#include "json_writer.h"
#include "write_setting.h"

namespace infer::inline v0 {
std::string tuned_file_name(std::string_view cpu, std::size_t usable_cores) {
  std::string name;
  for (const char c : cpu) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  if (name.empty() || name.back() != '-') name += '-';
  return name + std::to_string(usable_cores) + ".json";
}

Result<void> write_tuned(const std::filesystem::path& file, const TunedVersions& versions) {
  JsonWriter json;
  json.spaced().begin_object().key("versions").begin_object();
  for (const auto& [version, settings] : versions) {
    json.line(2).key(version).begin_object();
    for (const Setting& setting : kSettings) {
      if (setting.is_tuned && has_setting(setting, settings)) write_setting(json, setting, settings);
    }
    json.key("samples_per_second").measured(settings.samples_per_second);
    json.key("p95_ms").measured(settings.p95_ms).end_object();
  }
  json.line(0).end_object().end_object();
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  if (error)
    return fail(ErrorCode::kFailedPrecondition, file.parent_path().string() + ": " + error.message());
  return write_durably(file, std::move(json).text() + "\n");
}

}  // namespace infer::inline v0
