#include "infer/engine/model.h"

#include <algorithm>
#include <exception>
#include <new>

#include "digest.h"
#include "nearest_name.h"

namespace infer::inline v0 {
namespace {

std::string version_label(const std::string& version, const std::string& precision) {
  return precision == "fp32" ? version : version + "+" + precision;
}

}  // namespace

Result<Model> load_model(const std::filesystem::path& directory, const LoadOptions& options) {
  try {
    auto version = options.version.empty() ? choose_version(directory) : Result<std::string>(options.version);
    if (!version) return Unexpected(version.error());
    auto manifest = read_manifest(directory, *version);
    if (!manifest) return Unexpected(manifest.error());
    if (auto intact = check_digests(*manifest, directory / *version); !intact)
      return Unexpected(intact.error());
    const auto known = backends();
    const auto entry = std::find_if(known.begin(), known.end(), [&](const BackendEntry& candidate) {
      return candidate.name == manifest->backend;
    });
    if (entry == known.end()) {
      std::string names;
      for (const auto& candidate : known) names += (names.empty() ? "" : ", ") + std::string(candidate.name);
      return fail(ErrorCode::kUnimplemented, "infer.json: backend '" + manifest->backend +
                                                 "' is not in this build, which has: " + names);
    }
    auto backend = entry->load(*manifest, directory / *version, options);
    if (!backend) return Unexpected(backend.error());
    const std::string name = manifest->name;
    Model model = make_model(name, *std::move(backend), *std::move(manifest));
    model.directory = directory / *version;
    model.version = version_label(*version, model.manifest.precision);
    return model;
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  } catch (const std::exception& e) {
    return fail(ErrorCode::kInternal, directory.string() + ": " + e.what());
  }
}

Model make_model(std::string name, std::shared_ptr<const Backend> backend, Manifest manifest) {
  Model model;
  model.name = std::move(name);
  model.version = "1";
  model.manifest = std::move(manifest);
  model.manifest.name = model.name;
  model.backend = std::move(backend);
  return model;
}

}  // namespace infer::inline v0
