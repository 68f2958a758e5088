#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infer/core/result.h"
#include "infer/engine/signature.h"
#include "infer/engine/tensor.h"
#include "infer/export.h"

namespace infer::inline v0 {

struct Manifest;

/// A loaded model that runs batches. Immutable: `forward` is called from several worker threads at a time.
class INFER_EXPORT Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;

  /// What the model takes and gives, per sample.
  virtual const ModelSignature& signature() const noexcept = 0;

  /// Runs one batch: each input has the batch dimension in front, each output must too. Blocks while it
  /// computes.
  ///
  /// Errors: `kModelError` (the model threw or returned something unexpected), `kOutOfMemory`. May also
  /// throw; the engine turns that into the same codes.
  virtual Result<std::vector<Tensor>> forward(std::span<const Tensor> inputs) const = 0;

  /// Whether a forward takes no longer than handing it to another thread, some 20 us, and may run on any
  /// thread. Then a caller that waits for its result runs it itself.
  virtual bool is_instant() const noexcept { return false; }

  /// Called once on each worker thread before its first `forward`: thread counts and the like.
  virtual void bind_worker_thread() const {}
};

/// How to load a model.
struct LoadOptions {
  std::string device = "cpu";        ///< "cpu" or "cuda:N".
  std::size_t intra_op_threads = 1;  ///< Threads inside one forward.
  std::string version = {};          ///< Empty: the one that is promoted, else the latest.
};

/// Loads the model of `manifest`, whose file lies in `directory`.
using BackendFactory = Result<std::shared_ptr<const Backend>> (*)(const Manifest& manifest,
                                                                  const std::filesystem::path& directory,
                                                                  const LoadOptions& options);

/// One row of the table of backends this build has.
struct BackendEntry {
  std::string_view name;      ///< "torchscript", "scripted": the manifest's `backend`.
  std::string_view platform;  ///< What the Open Inference Protocol calls it.
  BackendFactory load;
};

/// All backends of this build. A table, since a static library drops what registers itself.
INFER_EXPORT std::span<const BackendEntry> backends() noexcept;

}  // namespace infer::inline v0
