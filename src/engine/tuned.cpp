#include "infer/engine/tuned.h"

#include <cctype>
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

Result<void> write_tuned(const std::filesystem::path& file, const TunedVersions& versions) {
  std::ostringstream out;
  out << "{\"versions\": {";
  const char* between = "";
  for (const auto& [version, settings] : versions) {
    out << between << "\n  \"" << version << "\": {\"workers\": " << settings.workers
        << ", \"intra_op_threads\": " << settings.intra_op_threads
        << ", \"max_batch_size\": " << settings.max_batch_size
        << ", \"max_queue_delay_ms\": " << settings.max_queue_delay_ms
        << ", \"samples_per_second\": " << settings.samples_per_second << ", \"p95_ms\": " << settings.p95_ms
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

Manifest with_tuned(Manifest manifest, const TunedSettings& settings) {
  manifest.workers = settings.workers;
  manifest.intra_op_threads = settings.intra_op_threads;
  manifest.max_batch_size = settings.max_batch_size;
  manifest.max_queue_delay_ms = settings.max_queue_delay_ms;
  return manifest;
}

}  // namespace infer::inline v0
