#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "infer/core/result.h"
#include "infer/engine/backend.h"
#include "infer/engine/manifest.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// Loads a TorchScript archive from memory; the archive is not needed afterwards.
///
/// `manifest` gives the signature. If the manifest has none, names come from the module's `forward`, dtypes
/// are FP32 and shapes are unknown. A TorchScript file is code: load only files whose owner you trust.
/// Blocking.
///
/// Errors: `kModelError` (the archive is truncated, corrupt, of another format version, or has no usable
/// `forward`), `kFailedPrecondition` (device), `kInvalidArgument` (device name), `kUnimplemented` (a build
/// without LibTorch), `kOutOfMemory`.
INFER_EXPORT Result<std::shared_ptr<const Backend>> load_torchscript(std::span<const std::byte> archive,
                                                                     const Manifest& manifest,
                                                                     const LoadOptions& options = {});

/// Sets LibTorch's process-wide state; call it first thing in `main()`.
///
/// The settings are `intra_op_threads` threads inside an operator, no threads between operators, and an
/// executor without profiling, whose first runs would be slow. LibTorch accepts some of these settings only
/// once: if the host has made them, the host's settings stay. A build without LibTorch does nothing. Not
/// thread-safe.
INFER_EXPORT void prepare_torch_process(std::size_t intra_op_threads);

/// Returns LibTorch's version, such as "2.15.0", or "none" in a build without LibTorch; static text.
INFER_EXPORT const char* torch_version() noexcept;

}  // namespace infer::inline v0
