#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "infer/core/result.h"
#include "infer/engine/signature.h"
#include "infer/engine/tensor.h"
#include "infer/export.h"

namespace infer::inline v0 {

struct Manifest;

/// A loaded model that runs batches; derive from it to run a model that is not TorchScript.
///
/// Immutable and thread-safe: several workers call `forward` at the same time.
class INFER_EXPORT Backend {
 public:
  /// Makes a backend; only derived classes can.
  Backend() = default;
  /// A backend is shared by pointer: it cannot be copied.
  Backend(const Backend&) = delete;
  /// A backend is shared by pointer: it cannot be assigned.
  Backend& operator=(const Backend&) = delete;
  /// Frees the model; no forward may be running.
  virtual ~Backend() = default;

  /// Returns the inputs and outputs of the model, per sample; valid as long as the backend.
  virtual const ModelSignature& signature() const noexcept = 0;

  /// Runs one batch.
  ///
  /// Each input has the batch dimension in front of the signature's shape, and so must each output; the batch
  /// size is the same in all of them. Blocks while the model computes. The returned tensors own their memory
  /// or share it; the inputs stay the caller's.
  ///
  /// Errors: `kModelError` (the model threw or returned something unexpected), `kOutOfMemory`. The function
  /// may also throw; the engine turns exceptions into the same codes.
  virtual Result<std::vector<Tensor>> forward(std::span<const Tensor> inputs) const = 0;

  /// Returns true if a forward takes no longer than a thread wake-up (about 20 us) and may run on any thread.
  ///
  /// A caller that waits for its result then runs the forward itself.
  virtual bool is_instant() const noexcept { return false; }

  /// Prepares a worker thread, such as its thread counts; called once on each worker before its first
  /// `forward`.
  virtual void bind_worker_thread() const {}
};

class Backends;

/// How to load a model.
struct LoadOptions {
  std::string device = "cpu";        ///< "cpu" or "cuda:N".
  std::size_t intra_op_threads = 1;  ///< Threads inside one forward.
  std::string version = {};          ///< Version to load; empty: the promoted version, else the latest.
  /// The backends that infer.json may name; null: those of the library.
  std::shared_ptr<const Backends> backends = {};
};

/// Loads the model that `manifest` describes from the version's folder `directory`; blocks while it reads.
///
/// May be called by several threads at a time.
using BackendFactory = std::function<Result<std::shared_ptr<const Backend>>(
    const Manifest& manifest, const std::filesystem::path& directory, const LoadOptions& options)>;

/// One row of the table `Backends`.
struct BackendEntry {
  std::string name;      ///< The manifest's `backend`, such as "torchscript" or "scripted".
  std::string platform;  ///< The platform name in the Open Inference Protocol; empty: `name`.
  BackendFactory load;   ///< Loads a model for this backend.
};

}  // namespace infer::inline v0
