#include "tuned_place.h"

#include <unistd.h>

#include <cstdlib>
#include <string>

#include "engine/digest.h"
#include "infer/engine/tuned.h"
#include "infer/machine/cpu.h"

namespace infer::adapter {
namespace {

namespace fs = std::filesystem;

fs::path file_name() { return tuned_file_name(read_cpu_info().name, usable_cores()); }

fs::path beside(const fs::path& model) { return model / "tuned" / file_name(); }

/// The file of this model in the user's cache. The folder's name is a hash of the model's path, since
/// models may share a name. Empty without a home folder.
fs::path in_cache(const fs::path& model) {
  fs::path cache;
  if (const char* given = std::getenv("XDG_CACHE_HOME"); given != nullptr && *given == '/') {
    cache = given;
  } else if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') {
    cache = fs::path(home) / ".cache";
  } else {
    return {};
  }
  std::error_code error;
  const std::string whole = fs::weakly_canonical(model, error).string();
  const std::string folder = sha256(whole);
  if (folder.empty()) return {};
  return cache / "infer" / "tuned" / folder.substr(0, 16) / file_name();
}

}  // namespace

fs::path find_tuned(const fs::path& model) {
  std::error_code error;
  for (const fs::path& file : {beside(model), in_cache(model)}) {
    if (!file.empty() && fs::exists(file, error)) return file;
  }
  return {};
}

fs::path tuned_place(const fs::path& model) {
  std::error_code error;
  fs::path file = beside(model);
  fs::create_directories(file.parent_path(), error);
  if (!error && access(file.parent_path().c_str(), W_OK) == 0) return file;
  const fs::path cached = in_cache(model);
  return cached.empty() ? file : cached;
}

}  // namespace infer::adapter
