#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "infer/core/result.h"
#include "infer/engine/backend.h"
#include "infer/engine/manifest.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// Loads a TorchScript archive from memory, which is not needed afterwards. Names no torch type.
///
/// `manifest` gives the signature, or leaves it to the module: then names come from `forward`, dtypes are
/// FP32 and shapes unknown. A TorchScript file is code: load only files of owners you trust. Blocking.
/// Errors: `kModelError` (truncated, corrupt, wrong version, no usable `forward`), `kFailedPrecondition`
/// (device), `kInvalidArgument` (device name), `kUnimplemented` (a build without LibTorch), `kOutOfMemory`.
INFER_EXPORT Result<std::shared_ptr<const Backend>> load_torchscript(std::span<const std::byte> archive,
                                                                     const Manifest& manifest,
                                                                     const LoadOptions& options = {});

/// Sets what LibTorch keeps for the whole process: threads inside an op, none between ops, and the executor
/// without profiling, whose first runs are slow. Call first thing in main(); a process that has set them
/// already is left as it is where LibTorch allows but one setting. Does nothing in a build without LibTorch.
INFER_EXPORT void prepare_torch_process(std::size_t intra_op_threads);

/// "2.15.0", or "none" in a build without LibTorch.
INFER_EXPORT const char* torch_version() noexcept;

}  // namespace infer::inline v0
