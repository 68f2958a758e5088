#include "infer/engine/tuned.h"

#include <cctype>
#include <fstream>
#include <sstream>
#include <string_view>
#include <utility>

#include "durable_file.h"

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

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

Result<void> write_tuned(const std::filesystem::path& file, const TunedVersions& versions) {
  std::ostringstream out;
  out << "{\"versions\": {";
  const char* between = "";
  for (const auto& [version, settings] : versions) {
    out << between << "\n  \"" << version << "\": {";
    for (const Setting& setting : kSettings) {
      if (setting.is_tuned) out << '"' << setting.name << "\": " << setting_json(setting, settings) << ", ";
    }
    out << "\"samples_per_second\": " << settings.samples_per_second << ", \"p95_ms\": " << settings.p95_ms
        << '}';
    between = ",";
  }
  out << "\n}}\n";
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  if (error)
    return fail(ErrorCode::kFailedPrecondition, file.parent_path().string() + ": " + error.message());
  return write_durably(file, out.str());
}

}  // namespace infer::inline v0
