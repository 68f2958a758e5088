#include <sstream>

#include "check.h"
#include "infer/engine/inspect.h"
#include "infer/engine/model.h"
#include "infer/machine/control_group.h"
#include "infer/tasks/task.h"

namespace infer::cli {
namespace {

namespace fs = std::filesystem;
using Level = Check::Level;

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

std::vector<Check> check_module(const fs::path& file) {
  auto report = inspect_torchscript(file);
  if (!report) {
    return {{Level::kFailure, "module", report.error().message,
             "save the model again with torch.jit.script(model).save(path), using LibTorch 2.15 or older"}};
  }
  std::vector<Check> checks;
  std::ostringstream weights;
  std::uintmax_t bytes = 0;
  Check precision{Level::kOk, "weights", "", ""};
  for (const auto& [dtype, tensors] : report->parameters) {
    weights << (weights.tellp() > 0 ? ", " : "") << tensors.elements << " " << dtype << " in "
            << tensors.count << " tensors";
    bytes += tensors.bytes;
    if (dtype == "Half") {
      precision.level = Level::kWarning;
      precision.advice = "Half is slow on CPUs; for CPUs, save the model in float32";
    }
    if (dtype == "Double") {
      precision.level = Level::kWarning;
      precision.advice =
          "Double takes twice the time and memory of float32; convert the model with model.float()";
    }
  }
  precision.found = weights.str() + ", " + std::to_string(bytes >> 20) + " MiB";
  checks.push_back(precision);
  if (!report->non_finite.empty()) {
    checks.push_back({Level::kFailure, "values", "NaN or infinity in " + joined(report->non_finite),
                      "the model's answers will be NaN; the training diverged or the file is damaged, so use "
                      "an earlier checkpoint"});
  }
  std::size_t calls = 0;
  for (const auto& [op, count] : report->ops) calls += count;
  checks.push_back({Level::kOk, "ops",
                    std::to_string(calls) + " calls of " + std::to_string(report->ops.size()) + " operators",
                    ""});
  if (report->device_constants.empty()) {
    checks.push_back({Level::kOk, "devices", "no device is fixed in the code", ""});
  } else {
    checks.push_back({Level::kWarning, "devices", joined(report->device_constants),
                      "the model was traced on a GPU and fails on other devices; trace it on the CPU, or "
                      "take the device from the input"});
  }
  if (report->mutable_buffers.empty()) {
    checks.push_back({Level::kOk, "state", "forward writes to no attribute", ""});
  } else {
    checks.push_back({Level::kFailure, "state", "forward writes to " + joined(report->mutable_buffers),
                      "workers share the model, so requests would change each other's answers; return the "
                      "state as an output"});
  }
  const auto limit = read_control_group().memory.limit_bytes;
  if (limit && bytes + (std::uintmax_t{300} << 20) > *limit) {
    checks.push_back({Level::kFailure, "fit",
                      std::to_string(bytes >> 20) + " MiB of weights, memory limit " +
                          std::to_string(*limit >> 20) + " MiB",
                      "LibTorch and batches need about 300 MiB besides the weights; raise the memory limit"});
  }
  return checks;
}

}  // namespace

std::vector<Check> check_model(const fs::path& directory) {
  auto manifest = read_manifest(directory, choose_version(directory).value_or(""));
  if (!manifest) {
    return {{Level::kFailure, "infer.json", manifest.error().message,
             "make a folder to compare with: infer model create simulator --out models/simulator"}};
  }
  if (const auto task = find_task(*manifest, directory.string()); !task) {
    return {{Level::kFailure, "infer.json", task.error().message,
             "make a folder to compare with: infer model create simulator --out models/simulator"}};
  }
  std::vector<Check> checks{
      {Level::kOk, "infer.json", manifest->task + ", " + manifest->backend + ", " + manifest->precision, ""}};
  if (manifest->weights == "random") {
    checks.push_back({Level::kWarning, "weights", "random",
                      "random weights are good for timing only; import trained weights"});
  }
  auto version = choose_version(directory);
  if (!version) {
    checks.push_back({Level::kFailure, "version", version.error().message,
                      "put the model's file into " + (directory / "1").string()});
    return checks;
  }
  checks.push_back({Level::kOk, "version", *version, ""});
  if (manifest->backend != "torchscript") return checks;
  for (Check& check : check_module(directory / *version / manifest->file)) checks.push_back(std::move(check));
  return checks;
}

}  // namespace infer::cli
