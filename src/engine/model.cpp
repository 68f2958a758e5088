#include "infer/engine/model.h"

#include <exception>
#include <new>

#include "digest.h"
#include "infer/engine/backends.h"

namespace infer::inline v0 {
namespace {

std::string version_label(const std::string& version, const std::string& precision) {
  return precision == "fp32" ? version : version + "+" + precision;
}

/// Returns the result of `call`, with exceptions turned into errors of the model in `directory`.
template <class Call>
Result<Model> guarded(const std::filesystem::path& directory, Call call) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  } catch (const std::exception& e) {
    return fail(ErrorCode::kInternal, directory.string() + ": " + e.what());
  }
}

}  // namespace

Result<Model> load_model(const std::filesystem::path& directory, const LoadOptions& options) {
  return guarded(directory, [&]() -> Result<Model> {
    auto version = options.version.empty() ? choose_version(directory) : Result<std::string>(options.version);
    if (!version) return Unexpected(version.error());
    auto manifest = read_manifest(directory, *version);
    if (!manifest) return Unexpected(manifest.error());
    LoadOptions chosen = options;
    chosen.version = *std::move(version);
    return load_model(directory, *std::move(manifest), chosen);
  });
}

Result<Model> load_model(const std::filesystem::path& directory, Manifest manifest,
                         const LoadOptions& options) {
  return guarded(directory, [&]() -> Result<Model> {
    if (options.version.empty())
      return fail(ErrorCode::kInvalidArgument,
                  "version: is empty; name the version that the manifest belongs to");
    const std::filesystem::path files = directory / options.version;
    if (auto intact = check_digests(manifest, files); !intact) return Unexpected(intact.error());
    const auto known = options.backends ? options.backends : std::make_shared<const Backends>();
    const BackendEntry* entry = known->find(manifest.backend);
    if (entry == nullptr) {
      std::string names;
      for (const auto& other : known->entries()) names += (names.empty() ? "" : ", ") + other.name;
      return fail(ErrorCode::kUnimplemented,
                  "infer.json: backend '" + manifest.backend + "' is not in this build, which has: " + names);
    }
    auto backend = entry->load(manifest, files, options);
    if (!backend) return Unexpected(backend.error());
    if (*backend == nullptr)
      return fail(ErrorCode::kInternal,
                  "backend '" + entry->name + "' returned neither a model nor an error");
    std::string name = manifest.name;
    Model model = make_model(std::move(name), *std::move(backend), std::move(manifest));
    model.directory = files;
    model.version = version_label(options.version, model.manifest.precision);
    model.platform = entry->platform;
    return model;
  });
}

Model make_model(std::string name, std::shared_ptr<const Backend> backend, Manifest manifest) {
  Model model;
  model.name = std::move(name);
  model.version = "1";
  model.manifest = std::move(manifest);
  model.manifest.name = model.name;
  const Backends known;
  const BackendEntry* entry = known.find(model.manifest.backend);
  model.platform = entry != nullptr ? entry->platform : model.manifest.backend;
  model.backend = std::move(backend);
  return model;
}

}  // namespace infer::inline v0
