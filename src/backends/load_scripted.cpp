#include <simdjson.h>

#include <chrono>
#include <cmath>
#include <string>

#include "infer/testing/scripted_backend.h"
#include "json_file.h"
#include "scripted.h"

namespace infer::inline v0 {

Result<std::shared_ptr<const Backend>> load_scripted(const Manifest& manifest,
                                                     const std::filesystem::path& directory,
                                                     const LoadOptions& /*options*/) {
  const auto path = directory / manifest.file;
  simdjson::dom::parser parser;
  const auto fields = load_object(parser, path);
  if (!fields) return Unexpected(fields.error());
  testing::ScriptedOptions options;
  options.signature = {manifest.inputs, manifest.outputs};
  for (const auto& [key, value] : *fields) {
    double number = 0;
    bool flag = false;
    if (key == "burn" && value.get(flag) == simdjson::SUCCESS) {
      options.burn = flag;
    } else if (value.get(number) == simdjson::SUCCESS && key == "base_ms" && number >= 0) {
      options.base = std::chrono::microseconds(std::llround(number * 1000));
    } else if (value.get(number) == simdjson::SUCCESS && key == "per_sample_ms" && number >= 0) {
      options.per_sample = std::chrono::microseconds(std::llround(number * 1000));
    } else if (value.get(number) == simdjson::SUCCESS && key == "poison") {
      options.poison = static_cast<float>(number);
    } else if (value.get(number) == simdjson::SUCCESS && key == "sigma" && number >= 0 && number <= 3) {
      options.sigma = number;
    } else if (value.get(number) == simdjson::SUCCESS && key == "failure_rate" && number >= 0 &&
               number <= 1) {
      options.failure_rate = number;
    } else if (value.get(number) == simdjson::SUCCESS && key == "seed" && number >= 0) {
      options.seed = static_cast<std::uint64_t>(number);
    } else {
      return fail(ErrorCode::kModelError,
                  path.string() + ": " + std::string(key) +
                      ": the keys are base_ms, per_sample_ms, burn, sigma (0 to 3), failure_rate (0 to 1), "
                      "seed and poison");
    }
  }
  return testing::make_scripted_backend(std::move(options));
}

}  // namespace infer::inline v0
