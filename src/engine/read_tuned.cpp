#include <simdjson.h>

#include <string_view>

#include "infer/engine/tuned.h"

namespace infer::inline v0 {
namespace {

constexpr std::size_t kMostThreads = 1024;
constexpr std::size_t kMostBatch = 4096;

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
  for (const auto& [version, fields] : versions) {
    TunedSettings settings;
    Result<void> read;
    const auto whole = [&, &fields = fields](const char* key, std::size_t most, std::size_t& out) {
      std::uint64_t value = 0;
      if (fields[key].get(value) == simdjson::SUCCESS && value >= 1 && value <= most) {
        out = value;
      } else if (read) {
        read =
            fail(ErrorCode::kInvalidArgument,
                 file.string() + ": " + key + ": must be a whole number from 1 to " + std::to_string(most));
      }
    };
    whole("workers", kMostThreads, settings.workers);
    whole("intra_op_threads", kMostThreads, settings.intra_op_threads);
    whole("max_batch_size", kMostBatch, settings.max_batch_size);
    if (read && (fields["max_queue_delay_ms"].get(settings.max_queue_delay_ms) != simdjson::SUCCESS ||
                 settings.max_queue_delay_ms < 0 || settings.max_queue_delay_ms > 60'000)) {
      read = fail(ErrorCode::kInvalidArgument,
                  file.string() + ": max_queue_delay_ms: must be a number from 0 to 60000");
    }
    if (!read) return Unexpected(read.error());
    // For people to read; left out is no mistake.
    if (fields["samples_per_second"].get(settings.samples_per_second) != simdjson::SUCCESS)
      settings.samples_per_second = 0;
    if (fields["p95_ms"].get(settings.p95_ms) != simdjson::SUCCESS) settings.p95_ms = 0;
    all.emplace(version, settings);
  }
  return all;
}

}  // namespace infer::inline v0
