#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "infer/core/result.h"
#include "infer/engine/backend.h"
#include "infer/engine/manifest.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// A loaded model: immutable, cheap to copy, shared between workers.
struct Model {
  std::string name;
  std::string version;  ///< "1"; with its precision behind a plus where that is not fp32: "1+int8".
  Manifest manifest;
  std::filesystem::path directory;  ///< Of the version's files; empty for a model made by hand.
  std::shared_ptr<const Backend> backend;
};

/// Loads models/NAME. Blocks for as long as reading the file takes.
///
/// Errors: `kNotFound` (no folder, manifest, version or file), `kInvalidArgument` (manifest), `kModelError`
/// (a file that is truncated, corrupt or of another version), `kFailedPrecondition` (no such device),
/// `kUnimplemented` (a backend that this build lacks), `kOutOfMemory`.
INFER_EXPORT Result<Model> load_model(const std::filesystem::path& directory,
                                      const LoadOptions& options = {});

/// A model from a backend made by hand, for tests and for own backends.
INFER_EXPORT Model make_model(std::string name, std::shared_ptr<const Backend> backend,
                              Manifest manifest = {});

}  // namespace infer::inline v0
