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
  std::string name;  ///< Name of the model's folder.
  /// Version such as "1", with its precision after a plus if that is not fp32: "1+int8".
  std::string version;
  /// The backend's platform name in the Open Inference Protocol, such as "pytorch_torchscript".
  std::string platform;
  Manifest manifest;                       ///< What infer.json says.
  std::filesystem::path directory;         ///< Folder of the version's files; empty for `make_model`.
  std::shared_ptr<const Backend> backend;  ///< Runs the batches; shared by all copies.
};

/// Loads one version of models/NAME; blocks while it reads the files.
///
/// A TorchScript file is code: load only files whose owner you trust.
///
/// Errors: `kNotFound` (folder, manifest, version or file), `kInvalidArgument` (manifest), `kModelError` (the
/// file is truncated, corrupt or of another format version), `kFailedPrecondition` (device), `kUnimplemented`
/// (this build lacks the backend), `kOutOfMemory`.
INFER_EXPORT Result<Model> load_model(const std::filesystem::path& directory,
                                      const LoadOptions& options = {});

/// Loads one version with its manifest, which the caller has already read; otherwise as the other
/// `load_model`.
///
/// Errors: those of the other `load_model`, and `kInvalidArgument` if `options.version` is empty.
INFER_EXPORT Result<Model> load_model(const std::filesystem::path& directory, Manifest manifest,
                                      const LoadOptions& options);

/// Makes a model from a backend of your own, for programs and tests that load no folder.
INFER_EXPORT Model make_model(std::string name, std::shared_ptr<const Backend> backend,
                              Manifest manifest = {});

}  // namespace infer::inline v0
