#include <string>
#include <utility>

#include "../engine/durable_file.h"
#include "../engine/json_writer.h"
#include "../engine/number_text.h"
#include "infer/engine/manifest.h"
#include "infer/models/simulator.h"
#include "staged_folder.h"

namespace infer::inline v0 {

Result<void> create_simulator(const SimulatorConfig& config, const std::filesystem::path& directory) {
  const auto outside = [](double value, double most) { return !(value >= 0) || value > most; };
  if (outside(config.base_ms, 60'000))
    return fail(ErrorCode::kInvalidArgument,
                "base_ms: " + number_text(config.base_ms) + " is outside 0 to 60000");
  if (outside(config.per_sample_ms, 60'000))
    return fail(ErrorCode::kInvalidArgument,
                "per_sample_ms: " + number_text(config.per_sample_ms) + " is outside 0 to 60000");
  if (outside(config.sigma, 3))
    return fail(ErrorCode::kInvalidArgument, "sigma: " + number_text(config.sigma) + " is outside 0 to 3");
  if (outside(config.failure_rate, 1))
    return fail(ErrorCode::kInvalidArgument,
                "failure_rate: " + number_text(config.failure_rate) + " is outside 0 to 1");
  auto staged = StagedFolder::create(directory);
  if (!staged) return Unexpected(staged.error());
  auto version = staged->subfolder("1");
  if (!version) return Unexpected(version.error());
  JsonWriter law;
  law.spaced().begin_object().key("base_ms").value(config.base_ms);
  law.key("per_sample_ms").value(config.per_sample_ms).key("sigma").value(config.sigma);
  law.key("failure_rate").value(config.failure_rate).key("seed").value(config.seed);
  law.key("burn").value(true).end_object();
  const std::string text = std::move(law).text() + "\n";
  if (auto written = write_durably(*version / "law.json", text); !written) return written;
  Manifest manifest;
  manifest.task = "simulate";
  manifest.backend = "scripted";
  manifest.file = "law.json";
  manifest.inputs = {{"work", DType::kFp64, Shape{2}}};
  manifest.outputs = {{"done", DType::kFp64, Shape{2}}};
  // A worker does the work of a batch one after another, so batches would only add latency.
  manifest.max_batch_size = 1;
  manifest.allowed_batch_sizes = {{1}};
  manifest.warmup = Warmup::kNone;  // there is nothing to warm up, and forwards may fail on purpose
  if (auto written = write_manifest(manifest, staged->path()); !written) return written;
  return staged->commit();
}

}  // namespace infer::inline v0
